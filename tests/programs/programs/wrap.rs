//! `wrap` makes a connection of two byte streams, which ends and fails with them.

use std::pin::pin;

use asyncio_streams::{ByteReader, ConnectOptions, Error, NetworkCode, byte_stream, wrap};
use asyncio_streams_test_programs::{
    Result, check, crate_error, matching, pending, raw_writer, same,
};
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

async fn main() -> Result {
    options().await?;
    the_stream_ends_with_the_writer().await?;
    half_close().await?;
    broken().await?;
    broken_and_read().await?;
    all_dropped().await
}

fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Network(error) if error.code == NetworkCode::BrokenPipe)
}

async fn rest(outgoing: &mut ByteReader) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let (result, bytes) = outgoing.read(Vec::with_capacity(1000)).await;
        all.extend(bytes);
        if result == StreamResult::Dropped {
            return all;
        }
    }
}

/// The options about limits and bounds take effect.
async fn options() -> Result {
    let options = ConnectOptions::new().limit(5).max_result(6).max_queued(7);
    let (mut to, incoming) = byte_stream();
    let (reader, writer, _outgoing) = options.wrap(incoming).await?;
    same!(reader.limit(), 5);
    matching!(reader.readexactly(7).await, Err(Error::TooLarge(7)));
    writer.write([0; 7])?;
    matching!(writer.write([0; 1]), Err(Error::BufferFull));
    let feeding = async {
        to.write_all(b"123456\n".to_vec()).await;
    };
    let (line, ()) = futures::join!(reader.readline(), feeding);
    matching!(line, Err(Error::LimitOverrun(it)) if it.found && it.consumed == 6);
    check!(writer.can_write_eof());
    Ok(())
}

async fn the_stream_ends_with_the_writer() -> Result {
    for dropped in [false, true] {
        let (_to, incoming) = byte_stream();
        let (reader, writer, mut outgoing) = wrap(incoming).await?;
        writer.write("last words")?;
        let kept = if dropped {
            drop(writer);
            None
        } else {
            writer.close();
            Some(writer)
        };
        same!(rest(&mut outgoing).await, b"last words");
        if let Some(writer) = kept {
            writer.wait_closed().await?;
        }
        matching!(reader.read(1).await, Err(Error::Closed));
    }
    Ok(())
}

async fn half_close() -> Result {
    let (mut to, incoming) = byte_stream();
    let (reader, writer, mut outgoing) = wrap(incoming).await?;
    writer.write("question")?;
    writer.write_eof()?;
    same!(rest(&mut outgoing).await, b"question");
    let mut answer = pin!(reader.read_to_end());
    pending(answer.as_mut())?;
    let feeding = async move {
        to.write_all(b"answer".to_vec()).await;
    };
    let (answer, ()) = futures::join!(answer, feeding);
    same!(answer?, b"answer");
    check!(reader.at_eof() && !writer.is_closing());
    writer.close();
    writer.wait_closed().await?;
    Ok(())
}

/// The reader of the output is dropped: the connection is lost, and every call reports it.
async fn broken() -> Result {
    let (_to, incoming) = byte_stream();
    let (_reader, writer, outgoing) = wrap(incoming).await?;
    writer.write(vec![0; 100_000])?;
    let mut drain = pin!(raw_writer(&writer).drain());
    let mut flush = pin!(writer.flush());
    let mut wait_closed = pin!(writer.wait_closed());
    pending(drain.as_mut())?;
    pending(flush.as_mut())?;
    pending(wait_closed.as_mut())?;
    drop(outgoing);
    let (drain, flush, wait_closed) = futures::join!(drain, flush, wait_closed);
    matching!(drain.map_err(crate_error), Err(error) if is_broken(&error));
    matching!(flush, Err(error) if is_broken(&error));
    matching!(wait_closed, Err(error) if is_broken(&error));
    for _ in 0..2 {
        check!(writer.is_closing());
        matching!(writer.write("x"), Err(error) if is_broken(&error));
        matching!(writer.writelines(&["x"]), Err(error) if is_broken(&error));
        matching!(writer.send("x").await, Err(error) if is_broken(&error));
        matching!(writer.write_eof(), Err(error) if is_broken(&error));
        matching!(writer.try_drain(), Err(error) if is_broken(&error));
        matching!(writer.drain().await, Err(error) if is_broken(&error));
        matching!(writer.flush().await, Err(error) if is_broken(&error));
        matching!(writer.wait_closed().await, Err(error) if is_broken(&error));
        let (_, data) = byte_stream();
        matching!(writer.write_stream(data).await, (0, Err(error)) if is_broken(&error));
        // The first final state stays.
        writer.close();
        writer.abort();
    }
    Ok(())
}

/// Buffered bytes can still be read; then reads report the loss, and not the end.
async fn broken_and_read() -> Result {
    let (mut to, incoming) = byte_stream();
    let (reader, writer, outgoing) = wrap(incoming).await?;
    drop(outgoing);
    writer.write("x")?;
    matching!(writer.wait_closed().await, Err(error) if is_broken(&error));
    let feeding = async move {
        to.write_all(b"late\n".to_vec()).await;
    };
    let (line, ()) = futures::join!(reader.readline(), feeding);
    match line {
        Ok(line) => same!(line, b"late\n"),
        Err(error) => check!(is_broken(&error), "{error:?}"),
    }
    for _ in 0..2 {
        matching!(reader.readline().await, Err(error) if is_broken(&error));
        check!(!reader.at_eof());
    }
    Ok(())
}

/// Both ends notice when the connection is dropped.
async fn all_dropped() -> Result {
    let (mut to, incoming) = byte_stream();
    let (reader, writer, mut outgoing) = wrap(incoming).await?;
    drop((reader, writer));
    same!(rest(&mut outgoing).await, b"");
    // Later input is discarded for a while; then the stream is dropped.
    let left = to.write_all(vec![0; 10_000]).await;
    check!(
        left.is_empty() || left.len() == 10_000,
        "{} bytes were not taken",
        left.len()
    );
    Ok(())
}
