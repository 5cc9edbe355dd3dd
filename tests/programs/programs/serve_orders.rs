//! A handler that does the action in the client's first line.

use asyncio_streams::{Error, Reader, Writer};
use asyncio_streams_test_programs::pattern;

asyncio_streams::serve!(obey);

const MEGABYTE: usize = 1 << 20;

async fn obey(reader: Reader, writer: Writer) -> Result<(), String> {
    let order = reader.readline().await.map_err(|error| error.to_string())?;
    match order.as_slice() {
        b"fail\n" => Err("failed, as the client wished".into()),
        // Fails with the client's text, unescaped.
        b"fail with the rest\n" => {
            let rest = reader
                .read_to_end()
                .await
                .map_err(|error| error.to_string())?;
            Err(String::from_utf8_lossy(&rest).into_owned())
        }
        // Queued, for the component to send later.
        b"fail after a megabyte\n" => {
            write_a_megabyte(&writer).map_err(|error| error.to_string())?;
            Err("failed after a megabyte".into())
        }
        // A client that leaves without an action is not an error.
        b"leave\n" | b"" => Ok(()),
        b"megabyte\n" => write_a_megabyte(&writer).map_err(|error| error.to_string()),
        // Drops the reader first: further input is discarded.
        b"only write\n" => {
            drop(reader);
            write_a_megabyte(&writer).map_err(|error| error.to_string())
        }
        // Until the client has ended, however long that takes.
        b"stay\n" => reader
            .read_to_end()
            .await
            .map(drop)
            .map_err(|error| error.to_string()),
        b"echo\n" => echo(&reader, &writer)
            .await
            .map_err(|error| error.to_string()),
        other => Err(format!(
            "no such order: {:?}",
            String::from_utf8_lossy(other)
        )),
    }
}

fn write_a_megabyte(writer: &Writer) -> Result<(), Error> {
    writer.write(pattern(0, MEGABYTE))
}

async fn echo(reader: &Reader, writer: &Writer) -> Result<(), Error> {
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await? {
        writer.send(line).await?;
    }
    Ok(())
}
