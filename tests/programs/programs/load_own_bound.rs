//! Opens as many connections as the component allows, each with all possible calls pending: then an error, no trap,
//! and each connection that ends makes room.

use std::time::Duration;

use asyncio_streams::{Error, NetworkCode, cli, open_connection, sleep};
use asyncio_streams_test_programs::{Failure, Result, Side, check, peer_port, pending, same};
use futures::future::LocalBoxFuture;

asyncio_streams::run!(main);

async fn main() -> Result {
    let port = peer_port(0)?;
    let mut open: Vec<&'static Side> = Vec::new();
    let mut calls: Vec<LocalBoxFuture<std::result::Result<(), Error>>> = Vec::new();
    let error = loop {
        match open_connection("127.0.0.1", port).await {
            // Leaked, because the calls borrow it for longer than this function.
            Ok(connection) => open.push(Box::leak(Box::new(connection.into()))),
            Err(error) => break error,
        }
        let Some(Side { reader, writer }) = open.last() else {
            continue;
        };
        calls.push(Box::pin(async { reader.readline().await.map(drop) }));
        calls.push(Box::pin(writer.wait_closed()));
        for call in calls.iter_mut().rev().take(2) {
            pending(call.as_mut())?;
        }
    };
    check!(is_bound(&error), "{error:?}");
    cli::println(open.len()).await?;

    // Each one that ends makes room for one, as soon as its socket is closed.
    for _ in 0..3 {
        let again = open_connection("127.0.0.1", port).await;
        check!(again.as_ref().is_err_and(is_bound), "{again:?}");
        let side = open
            .pop()
            .ok_or_else(|| Failure::new("no connection to end"))?;
        side.writer.abort();
        same!(side.writer.wait_closed().await, Err(Error::Closed));
        let connection = loop {
            match open_connection("127.0.0.1", port).await {
                Ok(connection) => break connection,
                Err(error) => check!(is_bound(&error), "{error:?}"),
            }
            sleep(Duration::from_millis(1)).await;
        };
        open.insert(0, Box::leak(Box::new(connection.into())));
    }
    Ok(())
}

fn is_bound(error: &Error) -> bool {
    matches!(error, Error::Network(error) if error.code == NetworkCode::OutOfResources)
}
