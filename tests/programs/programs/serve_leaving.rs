//! A handler whose tasks end while others wait: echoes lines, after an order.

use std::cell::RefCell;

use asyncio_streams::{Error, Reader, Writer, spawn};
use asyncio_streams_test_programs::{begun_and_dropped, reads};
use futures::AsyncReadExt as _;

asyncio_streams::serve!(obey);

thread_local! {
    /// Connections that no task reads.
    static IDLE: RefCell<Vec<(Reader, Writer)>> = const { RefCell::new(Vec::new()) };
}

async fn obey(reader: Reader, writer: Writer) -> Result<(), Error> {
    match reader.readline().await?.as_slice() {
        // A poll has begun to wait for it, by a task that ends.
        b"idle\n" => {
            writer.send("idle\n").await?;
            drop(begun_and_dropped(reads(&reader).read(&mut [0])).await);
            IDLE.with_borrow_mut(|idle| idle.push((reader, writer)));
            Ok(())
        }
        // The handler ends before its task.
        b"later\n" => {
            drop(spawn(async move { echo(&reader, &writer).await }));
            Ok(())
        }
        _ => echo(&reader, &writer).await,
    }
}

async fn echo(reader: &Reader, writer: &Writer) -> Result<(), Error> {
    writer.send("begun\n").await?;
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await? {
        writer.send(line).await?;
    }
    Ok(())
}
