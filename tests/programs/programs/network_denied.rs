//! A program without a grant for the network: every use of it reports that.

use asyncio_streams::{Error, NetworkCode, open_connection, start_server};
use asyncio_streams_test_programs::{Result, check, matching, memory, same};

asyncio_streams::run!(main);

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Network(error) if error.code == NetworkCode::AccessDenied)
}

async fn main() -> Result {
    for host in ["127.0.0.1", "::1", "192.0.2.1"] {
        match open_connection(host, 80).await {
            // Each address may be refused separately.
            Err(Error::Connect(attempts)) => {
                check!(
                    attempts
                        .iter()
                        .all(|attempt| attempt.error.code == NetworkCode::AccessDenied),
                    "{attempts:?}"
                );
            }
            other => matching!(other, Err(error) if is_denied(&error)),
        }
        matching!(start_server([host], 0).await, Err(error) if is_denied(&error));
    }
    matching!(start_server([""; 0], 0).await, Err(error) if is_denied(&error));
    // Hosts have one error for names that do not exist and names that may not be looked up.
    for host in ["localhost", "example.com"] {
        matching!(open_connection(host, 80).await, Err(Error::Network(error))
            if matches!(error.code, NetworkCode::AccessDenied | NetworkCode::NameLookupFailed));
    }
    // Connections in memory still work.
    let pair = memory().await?;
    pair.left.writer.write("hello")?;
    same!(pair.right.reader.readexactly(5).await?, b"hello");
    Ok(())
}
