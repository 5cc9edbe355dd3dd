//! The setters refuse impossible options, and change nothing.

use asyncio_streams::bindings::streams::{ConnectOptions, ServerOptions};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::{byte_stream, from_stream, open_connection, start_server};
use asyncio_streams_test_programs::{Result, matching, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let connect = ConnectOptions::new();
    connect.set_limit(77)?;
    matching!(connect.set_limit(0), Err(Error::InvalidArgument(_)));
    matching!(connect.set_max_result(0), Err(Error::InvalidArgument(_)));
    matching!(connect.set_max_queued(0), Err(Error::InvalidArgument(_)));
    for (idle, interval, count) in [
        (Some(0), None, None),
        (None, Some(0), None),
        (None, None, Some(0)),
    ] {
        matching!(
            connect.set_keep_alive_times(idle, interval, count),
            Err(Error::InvalidArgument(_))
        );
    }
    connect.set_keep_alive_times(Some(1), Some(u64::MAX), Some(u32::MAX))?;
    connect.set_keep_alive(true);

    let serve = ServerOptions::new();
    serve.set_limit(88)?;
    matching!(serve.set_limit(0), Err(Error::InvalidArgument(_)));
    matching!(serve.set_max_result(0), Err(Error::InvalidArgument(_)));
    matching!(serve.set_max_queued(0), Err(Error::InvalidArgument(_)));
    matching!(serve.set_backlog(0), Err(Error::InvalidArgument(_)));
    matching!(serve.set_max_connections(0), Err(Error::InvalidArgument(_)));
    for (idle, interval, count) in [
        (Some(0), None, None),
        (None, Some(0), None),
        (None, None, Some(0)),
    ] {
        matching!(
            serve.set_keep_alive_times(idle, interval, count),
            Err(Error::InvalidArgument(_))
        );
    }

    let (_, data) = byte_stream();
    matching!(
        from_stream(data, 0).await,
        Err(asyncio_streams::Error::InvalidArgument(_))
    );

    // Earlier settings stay in force: extreme keep-alive times are rounded, not refused.
    let server =
        asyncio_streams::bindings::streams::start_server(vec!["127.0.0.1".into()], 0, Some(&serve))
            .await?;
    let server = asyncio_streams::Server::from(server);
    let connecting = asyncio_streams::bindings::streams::open_connection(
        "127.0.0.1".into(),
        port(&server)?,
        Some(&connect),
    );
    let (opened, accepted) = futures::join!(connecting, server.accept());
    same!((opened?.0.limit(), accepted?.0.limit()), (77, 88));

    // Errors of the program differ from those of the network.
    matching!(
        open_connection("127.0.0.1", 0).await,
        Err(asyncio_streams::Error::InvalidArgument(_))
    );
    matching!(
        start_server(["local\0host"], 0).await,
        Err(asyncio_streams::Error::InvalidArgument(_))
    );
    Ok(())
}
