//! `cancel`, or dropping, ends a pending accept; it loses no connection, and the next accept returns it.

use std::pin::pin;

use asyncio_streams::{open_connection, spawn, start_server};
use asyncio_streams_test_programs::{
    Failure, Random, RawError, Result, check, crate_connection, matching, pending, port,
    raw_server, same, turns, within_turns,
};

asyncio_streams::run!(main);

const CLIENTS: usize = 150;

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let raw = raw_server(&server);
    raw.cancel();
    for _ in 0..3 {
        let mut accept = Box::pin(raw.accept());
        pending(accept.as_mut())?;
        raw.cancel();
        check!(matches!(accept.await, Err(RawError::Cancelled)));
        let mut wait = Box::pin(raw.wait_connection());
        pending(wait.as_mut())?;
        raw.cancel();
        matching!(wait.await, Err(RawError::Cancelled));

        let mut accept = Box::pin(raw.accept());
        pending(accept.as_mut())?;
        drop(accept);
        let mut wait = Box::pin(raw.wait_connection());
        pending(wait.as_mut())?;
        drop(wait);
        check!(raw.try_accept()?.is_none());
    }
    // Other pending calls are not affected.
    let mut waiting = pin!(server.wait_closed());
    pending(waiting.as_mut())?;
    raw.cancel();
    pending(waiting.as_mut())?;

    // Clients connect while accepts are cancelled and dropped at any point: each is accepted once.
    let clients = spawn(async move {
        let mut open = Vec::new();
        let mut random = Random::new(1);
        for number in 0..CLIENTS {
            turns(random.below(5)).await;
            let (reader, writer) = open_connection("127.0.0.1", port).await?;
            writer.write([number as u8])?;
            open.push((reader, writer));
        }
        Result::Ok(open)
    });
    let mut random = Random::new(2);
    let (mut accepted, mut given_up) = (Vec::new(), 0);
    while accepted.len() < CLIENTS {
        let patience = random.below(4);
        let answer = match random.below(3) {
            0 => within_turns(patience, server.accept()).await.transpose()?,
            1 => {
                let mut accept = pin!(raw.accept());
                let (accept, ()) = futures::join!(accept.as_mut(), async {
                    turns(patience).await;
                    raw.cancel();
                });
                match accept {
                    Err(RawError::Cancelled) => None,
                    other => Some(crate_connection(other?)),
                }
            }
            _ => {
                drop(within_turns(patience, raw.wait_connection()).await);
                server.try_accept()?
            }
        };
        match answer {
            Some(connection) => accepted.push(connection),
            None => given_up += 1,
        }
    }
    let _open = clients
        .await
        .ok_or_else(|| Failure::new("the clients' task has gone"))??;
    let mut numbers = Vec::new();
    for (reader, _writer) in &accepted {
        numbers.extend(reader.readexactly(1).await?);
    }
    numbers.sort_unstable();
    same!(numbers, (0..CLIENTS as u8).collect::<Vec<_>>());
    check!(given_up > CLIENTS, "only {given_up} were given up");
    check!(server.try_accept()?.is_none());
    Ok(())
}
