//! A handler that greets its client, passes the input on, drops the writer, and then reads until the end.

use asyncio_streams::{Reader, Writer};
use wit_bindgen::StreamResult;

asyncio_streams::serve!(take);

async fn take(reader: Reader, writer: Writer) -> Result<(), String> {
    writer
        .write("welcome\n")
        .map_err(|error| error.to_string())?;
    let given = reader.into_stream().await;
    let (mut data, end) = given.map_err(|error| error.to_string())?;
    drop((reader, writer));
    loop {
        let (result, _) = data.read(Vec::with_capacity(100)).await;
        if result == StreamResult::Dropped {
            break;
        }
    }
    end.await.map_err(|error| error.to_string())
}
