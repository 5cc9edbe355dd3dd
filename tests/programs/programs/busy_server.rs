//! While an accept or a wait for a connection is pending, every other one fails with `busy`; the other calls still
//! work.

use std::pin::pin;

use asyncio_streams::{open_connection, start_server};
use asyncio_streams_test_programs::{
    RawError, Result, check, matching, pending, port, raw_server, same,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let raw = raw_server(&server);
    for wait_only in [false, true] {
        let mut accept = pin!(async {
            if wait_only {
                raw.wait_connection().await?;
                raw.try_accept()
            } else {
                raw.accept().await.map(Some)
            }
        });
        pending(accept.as_mut())?;
        for _ in 0..2 {
            check!(matches!(raw.accept().await, Err(RawError::Busy)));
            matching!(raw.wait_connection().await, Err(RawError::Busy));
            check!(matches!(raw.try_accept(), Err(RawError::Busy)));
            check!(raw.is_serving());
            same!(raw.sockets().len(), 1);
            raw.start_serving()?;
            raw.close_clients();
            let mut closed = pin!(raw.wait_closed());
            pending(closed.as_mut())?;
        }
        let (connected, accepted) = futures::join!(open_connection("127.0.0.1", port), accept);
        let ((_, writer), accepted) = (connected?, accepted?);
        writer.write("hello")?;
        let (reader, _writer) = matching!(accepted, Some(connection) => connection);
        same!(reader.readexactly(5).await?, b"hello");
        check!(raw.try_accept()?.is_none());
    }
    Ok(())
}
