//! Calls with ever shorter deadlines that are dropped leave nothing behind.
//!
//! The first argument is the port of a peer that never answers a connect, the second the number of calls.

use std::time::Duration;

use asyncio_streams::{ConnectOptions, ServerOptions, cli, timeout};
use asyncio_streams_test_programs::{Failure, Result, check, within_turns};

asyncio_streams::run!(main);

async fn main() -> Result {
    let arguments: Vec<String> = cli::arguments();
    let number = |place: usize| -> Result<u32> {
        let text = arguments.get(place).map_or("", String::as_str);
        text.parse()
            .map_err(|_| Failure::new(format!("argument {place}, {text:?}, is no number")))
    };
    let (port, calls) = (number(0)? as u16, number(1)?);
    // Keeps the component's background task alive, with its waits.
    let _server = ServerOptions::new().start_server(["127.0.0.1"], 0).await?;
    for call in 0..calls {
        // An hour, minus a little more each time.
        let nanoseconds = 3_600_000_000_000 - 1_000_000 * u64::from(call);
        let options = ConnectOptions::new().deadline(Duration::from_nanos(nanoseconds));
        // Some turns, in which the component starts to wait for the deadline.
        let given_up = within_turns(3, options.open_connection("127.0.0.1", port)).await;
        check!(given_up.is_none(), "it did not wait");
    }
    // A deadline still fires in time.
    let soon = ConnectOptions::new().deadline(Duration::from_millis(50));
    let late = timeout(
        Duration::from_secs(30),
        soon.open_connection("127.0.0.1", port),
    )
    .await;
    match late {
        Ok(Err(asyncio_streams::Error::DeadlineExceeded)) => Ok(()),
        other => Err(Failure::new(format!("{other:?}"))),
    }
}
