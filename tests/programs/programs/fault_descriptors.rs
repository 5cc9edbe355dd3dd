//! Opens connections until no descriptor is left: then a typed error is returned, the open connections continue, and
//! each that ends makes room.

use std::time::Duration;

use asyncio_streams::{ConnectAttempt, Error, NetworkCode, cli, open_connection, sleep};
use asyncio_streams_test_programs::{Result, Side, check, peer_port, same};

asyncio_streams::run!(main);

/// More connections than descriptors.
const MANY: usize = 1000;

async fn main() -> Result {
    let port = peer_port(0)?;
    cli::println("ready").await?;
    let (input, _) = cli::stdin().await?;
    input.readline().await?;

    let mut open: Vec<Side> = Vec::new();
    let error = loop {
        check!(open.len() < MANY);
        match open_connection("127.0.0.1", port).await {
            Ok(connection) => open.push(connection.into()),
            Err(error) => break error,
        }
    };
    check!(tells(&error), "{error:?}");
    check!(open.len() > 2);
    for _ in 0..3 {
        let again = open_connection("127.0.0.1", port).await;
        check!(again.as_ref().is_err_and(tells), "{again:?}");
    }

    // Open connections are not affected, and each that ends makes room for another.
    for round in 0..3 {
        let Some(side) = open.pop() else { break };
        let line = format!("line {round}\n");
        side.writer.write(&line)?;
        side.writer.write_eof()?;
        same!(side.reader.read_to_end().await?, line.as_bytes());
        side.writer.close();
        side.writer.wait_closed().await?;
        drop(side);
        let connection = loop {
            match open_connection("127.0.0.1", port).await {
                Ok(connection) => break connection,
                // The system may take a moment to free the descriptor.
                Err(error) => check!(tells(&error), "{error:?}"),
            }
            sleep(Duration::from_millis(10)).await;
        };
        open.push(connection.into());
    }
    Ok(())
}

/// Whether the error reports missing descriptors; most hosts have no code for that.
fn tells(error: &Error) -> bool {
    let code = |attempt: &ConnectAttempt| attempt.error.code;
    match error {
        Error::Connect(attempts) => attempts
            .iter()
            .map(code)
            .all(|code| matches!(code, NetworkCode::OutOfResources | NetworkCode::Other)),
        _ => false,
    }
}
