//! A handler that echoes until the client ends.

use asyncio_streams::{Error, Reader, Writer};

asyncio_streams::serve!(echo);

async fn echo(reader: Reader, writer: Writer) -> Result<(), Error> {
    loop {
        let data = reader.read(65_536).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.send(data).await?;
    }
}
