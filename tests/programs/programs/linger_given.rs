//! Passes the input on, sends, and closes and drops everything in each order, while the peer sends. Argument: the
//! peer's port.
//!
//! It prints a line for each connection once it has dropped the last part of it.

use asyncio_streams::{ByteReader, Reader, Writer, cli};
use asyncio_streams_test_programs::{Failure, Result, Side, pattern, peer};

asyncio_streams::run!(main);

const MUCH: usize = 200_004;

/// The order of the actions: close, wait for the end, read, or drop the stream, the reader, the writer.
const ORDERS: [&str; 9] = [
    "close wait stream reader writer",
    "stream close wait reader writer",
    "close stream wait writer reader",
    "close wait reader writer stream",
    "reader writer stream",
    "stream reader writer",
    "reader close wait stream writer",
    "read close wait stream reader writer",
    "close wait read stream reader writer",
];

async fn main() -> Result {
    for order in ORDERS {
        let Side { reader, writer } = peer().await?;
        let (data, end) = reader.into_stream().await?;
        drop(end);
        writer.write(pattern(0, MUCH))?;
        writer.flush().await?;
        in_turn(order, reader, writer, data).await?;
        cli::println(order).await?;
    }
    Ok(())
}

async fn in_turn(order: &str, reader: Reader, writer: Writer, data: ByteReader) -> Result {
    let (mut reader, mut writer, mut data) = (Some(reader), Some(writer), Some(data));
    for what in order.split(' ') {
        match (what, &writer, &mut data) {
            ("close", Some(writer), _) => writer.close(),
            ("wait", Some(writer), _) => writer.wait_closed().await?,
            ("read", _, Some(data)) => drop(data.read(Vec::with_capacity(10_000)).await),
            ("stream", _, _) => data = None,
            ("reader", _, _) => reader = None,
            ("writer", _, _) => writer = None,
            _ => return Err(Failure::new(format_args!("{what} in {order}"))),
        }
    }
    drop((reader, writer, data));
    Ok(())
}
