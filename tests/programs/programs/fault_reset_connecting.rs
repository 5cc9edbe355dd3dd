//! A peer that resets during the connect, and one that does not exist: the call, or the first read, returns a typed
//! error.

use asyncio_streams::{Error, NetworkCode, open_connection};
use asyncio_streams_test_programs::{
    Result, check, is_loss, is_refused, is_reset, matching, peer_port,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let (resets, nobody) = (peer_port(0)?, peer_port(1)?);
    for _ in 0..100 {
        match open_connection("127.0.0.1", resets).await {
            Ok((reader, writer)) => {
                check!(writer.peername().is_some() && writer.sockname().is_some());
                matching!(reader.read(1).await, Err(error) if is_reset(&error));
                matching!(writer.wait_closed().await, Err(error) if is_loss(&error));
            }
            Err(error) => check!(all_were(&error, NetworkCode::ConnectionReset), "{error:?}"),
        }
    }
    for _ in 0..10 {
        matching!(open_connection("127.0.0.1", nobody).await, Err(error) if is_refused(&error));
    }
    Ok(())
}

fn all_were(error: &Error, code: NetworkCode) -> bool {
    matches!(error, Error::Connect(attempts) if attempts.iter().all(|attempt| attempt.error.code == code))
}
