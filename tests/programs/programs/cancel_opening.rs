//! `cancel` of the options, a deadline, or dropping ends `open-connection` and `start-server`.

use std::pin::{Pin, pin};
use std::time::Duration;

use asyncio_streams::bindings::streams::{self, ConnectOptions, ServerOptions};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::{open_connection, timeout};
use asyncio_streams_test_programs::{Failure, Result, Side, check, matching, pending, port};

asyncio_streams::run!(main);

const HOST: &str = "127.0.0.1";

async fn main() -> Result {
    connecting().await?;
    starting().await
}

async fn connecting() -> Result {
    let server = asyncio_streams::ServerOptions::new()
        .backlog(1)
        .start_server([HOST], 0)
        .await?;
    let port = port(&server)?;
    let waiting = fill(port).await?;

    let options = ConnectOptions::new();
    let open = || Box::pin(streams::open_connection(HOST.into(), port, Some(&options)));
    options.cancel();
    {
        // All calls with these options end, and no others.
        let (mut first, mut second, mut other) =
            (open(), open(), pin!(open_connection(HOST, port)));
        pending(first.as_mut())?;
        pending(second.as_mut())?;
        pending(other.as_mut())?;
        options.cancel();
        check!(matches!(first.await, Err(Error::Cancelled)));
        check!(matches!(second.await, Err(Error::Cancelled)));
        pending(other.as_mut())?;
    }
    // A cancel is not remembered. A deadline ends a call as well.
    options.set_deadline(Some(50_000_000));
    let mut late = open();
    pending(late.as_mut())?;
    // The call has already read the options: a change has no effect on it.
    options.set_deadline(None);
    check!(matches!(late.await, Err(Error::DeadlineExceeded)));
    let mut dropped = open();
    pending(dropped.as_mut())?;
    drop(dropped);

    // Only the connections that were not cancelled arrive.
    let mut accepted = Vec::new();
    for _ in &waiting {
        accepted.push(server.accept().await?);
    }
    let mut next = pin!(server.accept());
    pending(next.as_mut())?;
    let (opened, next) = futures::join!(open(), next);
    let ((_reader, writer), (reader, _writer)) = (opened?, next?);
    writer.write(b"through")?;
    matching!(reader.readexactly(7).await?, bytes if bytes == b"through");
    Ok(())
}

/// Connects until the server's backlog is full and further connects wait.
async fn fill(port: u16) -> Result<Vec<Side>> {
    let mut waiting = Vec::new();
    for _ in 0..10 {
        match timeout(Duration::from_millis(500), open_connection(HOST, port)).await {
            Ok(connection) => waiting.push(connection?.into()),
            Err(_) => return Ok(waiting),
        }
    }
    Err(Failure::new("the system never leaves a connection waiting"))
}

async fn starting() -> Result {
    // It waits until the calls that were cancelled before have ended. Meanwhile the component may be blocked, and a cancel does not
    // end a call that has not reached it yet.
    let _settled = streams::start_server(vec![HOST.into()], 0, None).await?;
    let options = ServerOptions::new();
    options.cancel();
    let mut first = being_started(&options)?;
    let mut second = being_started(&options)?;
    options.cancel();
    matching!(first.as_mut().await, Err(Error::Cancelled));
    matching!(second.as_mut().await, Err(Error::Cancelled));
    drop(being_started(&options)?);
    let server = streams::start_server(vec![HOST.into()], 0, Some(&options)).await?;
    check!(server.is_serving());
    Ok(())
}

type Starting<'a> = Pin<Box<dyn Future<Output = std::result::Result<streams::Server, Error>> + 'a>>;

/// A `start-server` that waits for the name service, unless that answers at once.
fn being_started(options: &ServerOptions) -> Result<Starting<'_>> {
    for _ in 0..1000 {
        let mut starting: Starting<'_> = Box::pin(streams::start_server(
            vec!["localhost".into()],
            0,
            Some(options),
        ));
        if pending(starting.as_mut()).is_ok() {
            return Ok(starting);
        }
    }
    Err(Failure::new("looking up a name never waits"))
}
