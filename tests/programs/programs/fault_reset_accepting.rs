//! Clients that reset before they were accepted: they are skipped, or their first read reports it; the others are
//! served.

use asyncio_streams::{cli, start_server};
use asyncio_streams_test_programs::{Result, check, is_reset, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    cli::println(port(&server)?).await?;
    let (input, _) = cli::stdin().await?;
    input.readline().await?;
    let mut served = 0;
    while served < 3 {
        let (reader, writer) = server.accept().await?;
        match reader.readline().await {
            Ok(line) => {
                same!(line, b"hello\n");
                writer.write(line)?;
                writer.close();
                writer.wait_closed().await?;
                served += 1;
            }
            Err(error) => check!(is_reset(&error), "{error:?}"),
        }
    }
    Ok(())
}
