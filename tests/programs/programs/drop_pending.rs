//! Dropping a reader while calls on its writer are pending, and the reverse: those calls continue, or fail with
//! `closed`.

use asyncio_streams::{Error, byte_stream, start_server};
use asyncio_streams_test_programs::{
    Pair, RawError, Result, Side, check, clog, matching, memory, pending, port, raw_reader,
    raw_writer, same, tcp, turns,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        reader_first(pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        writer_first(pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        streaming(pair).await?;
    }
    server_first().await
}

/// Calls that are pending on the writer are not affected.
async fn reader_first(pair: Pair) -> Result {
    let Pair {
        left: Side { reader, writer },
        right,
    } = pair;
    let written = clog(&writer)?;
    let mut drain = Box::pin(raw_writer(&writer).drain());
    let mut send = Box::pin(raw_writer(&writer).send(b"x".to_vec()));
    let mut flush = Box::pin(writer.flush());
    let mut wait_closed = Box::pin(writer.wait_closed());
    pending(drain.as_mut())?;
    pending(send.as_mut())?;
    pending(flush.as_mut())?;
    pending(wait_closed.as_mut())?;
    drop(reader);
    turns(5).await;
    pending(drain.as_mut())?;
    pending(send.as_mut())?;
    pending(flush.as_mut())?;
    pending(wait_closed.as_mut())?;
    let reading = async {
        let mut read = 0;
        while read < written + 1 {
            read += right.reader.read(1 << 20).await?.len();
        }
        Result::Ok(())
    };
    let (read, drain, send, flush) = futures::join!(reading, drain, send, flush);
    read?;
    drain?;
    send?;
    flush?;
    writer.close();
    wait_closed.await?;
    same!(right.reader.read(1).await?, b"");
    Ok(())
}

/// Calls that are pending on the reader report that this side has closed.
async fn writer_first(pair: Pair) -> Result {
    let Pair {
        left: Side { reader, writer },
        right,
    } = pair;
    let mut read = Box::pin(raw_reader(&reader).readline());
    pending(read.as_mut())?;
    writer.write("last words")?;
    drop(writer);
    matching!(read.await, Err(RawError::Closed));
    same!(right.reader.read_to_end().await?, b"last words");
    drop(reader);
    Ok(())
}

async fn streaming(pair: Pair) -> Result {
    let Pair {
        left: Side { reader, writer },
        right,
    } = pair;
    let (mut to, data) = byte_stream();
    let streaming = writer.write_stream(data);
    let rest = async {
        to.write_all(b"one ".to_vec()).await;
        drop(reader);
        to.write_all(b"two".to_vec()).await;
        drop(to);
    };
    let ((taken, result), ()) = futures::join!(streaming, rest);
    result?;
    same!(taken, 7);
    drop(writer);
    same!(right.reader.read_to_end().await?, b"one two");
    Ok(())
}

/// Dropping the server does not affect its connections, whatever calls are pending on them.
async fn server_first() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let (left, right) = futures::join!(
        asyncio_streams::open_connection("127.0.0.1", port),
        server.accept()
    );
    let (left, right): (Side, Side) = (left?.into(), right?.into());
    let mut read = Box::pin(right.reader.readline());
    pending(read.as_mut())?;
    drop(server);
    turns(5).await;
    pending(read.as_mut())?;
    left.writer.write("hello\n")?;
    same!(read.await?, b"hello\n");
    right.writer.send("answer\n").await?;
    same!(left.reader.readline().await?, b"answer\n");
    check!(!right.writer.is_closing());
    matching!(
        asyncio_streams::open_connection("127.0.0.1", port).await,
        Err(Error::Connect(_))
    );
    Ok(())
}
