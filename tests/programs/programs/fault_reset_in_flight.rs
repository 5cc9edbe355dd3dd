//! A reset after a lot of data: all bytes that arrive are right, then the reset is reported, and never an end.

use asyncio_streams_test_programs::{Result, check, follow, is_reset, peer};

asyncio_streams::run!(main);

async fn main() -> Result {
    for _ in 0..20 {
        let side = peer().await?;
        side.writer.write("go\n")?;
        let mut position = 0;
        let error = loop {
            match side.reader.read(30_000).await {
                Ok(bytes) => {
                    check!(!bytes.is_empty(), "an end after {position} bytes");
                    position = follow(position, &bytes)?;
                }
                Err(error) => break error,
            }
        };
        check!(is_reset(&error), "{error:?}");
        check!(!side.reader.at_eof());
    }
    Ok(())
}
