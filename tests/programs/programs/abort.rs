//! `abort` drops queued bytes, and its result is `closed`, for pending and later calls.

use std::pin::pin;

use asyncio_streams::{Error, byte_stream};
use asyncio_streams_test_programs::{
    Pair, Result, check, clog, crate_error, is_loss, matching, memory, pending, raw_reader,
    raw_writer, same, tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    ends_what_waits(tcp().await?, false).await?;
    ends_what_waits(memory().await?, false).await?;
    ends_what_waits(tcp().await?, true).await?;
    ends_what_waits(memory().await?, true).await?;
    after_the_end(tcp().await?).await?;
    after_the_end(memory().await?).await
}

async fn ends_what_waits(pair: Pair, closing: bool) -> Result {
    let (writer, reader) = (&pair.left.writer, &pair.left.reader);
    let written = clog(writer)?;
    {
        let mut drain = pin!(raw_writer(writer).drain());
        let mut flush = pin!(writer.flush());
        let mut send = pin!(raw_writer(writer).send(b"x".to_vec()));
        let mut wait = pin!(writer.wait_closed());
        let mut read = pin!(raw_reader(reader).read(Some(1)));
        pending(drain.as_mut())?;
        pending(flush.as_mut())?;
        pending(send.as_mut())?;
        pending(wait.as_mut())?;
        pending(read.as_mut())?;
        if closing {
            writer.close();
        }
        writer.abort();
        let (drain, flush, send, wait, read) = futures::join!(drain, flush, send, wait, read);
        matching!(drain.map_err(crate_error), Err(Error::Closed));
        matching!(flush, Err(Error::Closed));
        matching!(send.map_err(crate_error), Err(Error::Closed));
        matching!(wait, Err(Error::Closed));
        matching!(read.map_err(crate_error), Err(Error::Closed));
    }
    for _ in 0..2 {
        check!(writer.is_closing());
        same!(writer.write_buffer_size(), 0);
        matching!(writer.write("x"), Err(Error::Closed));
        matching!(writer.writelines(&["x"]), Err(Error::Closed));
        matching!(writer.send("x").await, Err(Error::Closed));
        matching!(writer.write_eof(), Err(Error::Closed));
        matching!(writer.drain().await, Err(Error::Closed));
        matching!(writer.try_drain(), Err(Error::Closed));
        matching!(writer.flush().await, Err(Error::Closed));
        matching!(writer.wait_closed().await, Err(Error::Closed));
        matching!(reader.read(1).await, Err(Error::Closed));
        let (_, data) = byte_stream();
        matching!(writer.write_stream(data).await, (0, Err(Error::Closed)));
        writer.abort();
        writer.close();
    }
    // The peer receives some bytes, then an end or a reset, depending on the system.
    let mut got = 0;
    loop {
        match pair.right.reader.read(1 << 20).await {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => got += bytes.len(),
            Err(error) => {
                check!(is_loss(&error), "{error:?}");
                break;
            }
        }
    }
    check!(got < written, "all of it arrived");
    Ok(())
}

/// An abort does not change a connection that has ended.
async fn after_the_end(pair: Pair) -> Result {
    let writer = &pair.left.writer;
    writer.close();
    writer.wait_closed().await?;
    writer.abort();
    writer.wait_closed().await?;
    writer.drain().await?;
    writer.write_eof()?;
    Ok(())
}
