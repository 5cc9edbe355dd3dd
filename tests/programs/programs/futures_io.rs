//! The traits' promises beyond the shared contract: plain calls and polled ones each continue where the other
//! stopped.

use std::io::ErrorKind;
use std::pin::pin;
use std::time::Duration;

use asyncio_streams::io::Duplex;
use asyncio_streams::{Error, Reader, Wanted, timeout};
use asyncio_streams_test_programs::{
    Pair, Result, check, clog, memory, pending, reads, same, tcp, turns, writes,
};
use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use futures::join;

asyncio_streams::run!(main);

async fn main() -> Result {
    given_up().await?;
    given_up_half_way().await?;
    ended_by_plain_reads().await?;
    dropped_while_waiting().await?;
    lent().await?;
    back_pressure().await?;
    flushed().await?;
    closed().await?;
    kinds().await
}

/// An abandoned polled read has consumed nothing, and a plain call is not busy with it.
async fn given_up() -> Result {
    let Pair { left, right } = tcp().await?;
    let mut reader = reads(&right.reader);
    let mut buffer = [0; 100];
    pending(pin!(reader.read(&mut buffer)))?;
    left.writer.write("one\ntwo")?;
    same!(right.reader.readline().await?, b"one\n");
    {
        let mut line = pin!(right.reader.readline());
        pending(line.as_mut())?;
    }
    left.writer.write("\nthree\n")?;
    same!(right.reader.readline().await?, b"two\n");
    let n = reader.read(&mut buffer).await?;
    same!(buffer.get(..n), Some(&b"three\n"[..]));
    {
        let mut read = pin!(reader.read(&mut buffer));
        pending(read.as_mut())?;
    }
    same!(right.reader.try_read(9)?, None);
    same!((right.reader.buffered(), right.reader.at_eof()), (0, false));
    Ok(())
}

/// In an operation of several polls, the earlier polls have consumed their bytes, as documented.
async fn given_up_half_way() -> Result {
    let Pair { left, mut right } = tcp().await?;
    left.writer.write("begun")?;
    right.reader.wait(Wanted::Exactly(5)).await?;
    let mut line = String::new();
    pending(pin!(right.reader.read_line(&mut line)))?;
    left.writer.write(", ended\n")?;
    same!(right.reader.readline().await?, b", ended\n");
    same!(line, "");
    Ok(())
}

/// A plain read in between returns the next bytes, and the polled read checks again.
async fn ended_by_plain_reads() -> Result {
    let Pair { left, right } = tcp().await?;
    let mut first = reads(&right.reader);
    let mut buffer = [0; 4];
    let mut polled = pin!(first.read(&mut buffer));
    pending(polled.as_mut())?;
    let plain = async {
        let line = right.reader.readline().await?;
        left.writer.write("rest")?;
        Ok::<_, Error>(line)
    };
    let write = async {
        turns(3).await;
        left.writer.write("line\n")
    };
    let (line, written) = join!(plain, write);
    written?;
    same!(line?, b"line\n");
    same!(polled.await?, 4);
    same!(&buffer, b"rest");
    Ok(())
}

/// Neither dropping a reader nor passing it on traps while a polled wait is left.
async fn dropped_while_waiting() -> Result {
    for _ in 0..3 {
        let Pair { left, right } = tcp().await?;
        let wait = |reader: &Reader| -> Result {
            let (mut reader, mut buffer) = (reads(reader), [0]);
            pending(pin!(reader.read(&mut buffer)))
        };
        wait(&left.reader)?;
        wait(&right.reader)?;
        drop(left.reader);
        left.writer.write("for the next")?;
        let reader = passed_on(right.reader);
        reader.wait(Wanted::Exactly(12)).await?;
        same!(reader.read(4).await?, b"for ");
        same!(passed_on(reader).peek(99), b"the next");
        clog(&right.writer)?;
        pending(pin!(writes(&right.writer).write(b"x")))?;
        pending(pin!(writes(&right.writer).flush()))?;
        drop(right.writer);
    }
    Ok(())
}

/// Bytes are lent from the fetched ones, and only consumed bytes are taken.
async fn lent() -> Result {
    let Pair { left, right } = memory().await?;
    let mut connection = Duplex::from((right.reader, right.writer));
    left.writer.write("head\r\nbody")?;
    same!(connection.fill_buf().await?, b"head\r\nbody");
    connection.consume_unpin(2);
    same!(connection.fill_buf().await?, b"ad\r\nbody");
    same!(connection.reader.readuntil("\r\n").await?, b"ad\r\n");
    same!(connection.reader.peek(2), b"bo");
    let mut rest = String::new();
    left.writer.write_eof()?;
    connection.read_to_string(&mut rest).await?;
    same!(rest, "body");
    same!(connection.fill_buf().await?, b"");
    let mut exactly = [0; 1];
    let error = connection.read_exact(&mut exactly).await;
    same!(
        error.map_err(|error| error.kind()),
        Err(ErrorKind::UnexpectedEof)
    );
    Ok(())
}

/// A write waits above the high mark, and continues when the peer reads.
async fn back_pressure() -> Result {
    let Pair { left, right } = tcp().await?;
    let mut writer = writes(&left.writer);
    let data = vec![7; 32 << 20];
    let written = {
        let mut all = pin!(writer.write_all(&data));
        pending(all.as_mut())?;
        turns(20).await;
        pending(all.as_mut())?;
        let queued = left.writer.write_buffer_size();
        check!(queued <= 256 << 10, "{queued} bytes are queued");
        let read = right.reader.readexactly(data.len());
        let (all, read) = join!(all, read);
        all?;
        read?
    };
    check!(written == data);
    Ok(())
}

/// A flush waits for the system; an abandoned flush does not cover later writes.
async fn flushed() -> Result {
    let Pair { left, right } = tcp().await?;
    clog(&left.writer)?;
    let mut writer = writes(&left.writer);
    pending(pin!(writer.flush()))?;
    left.writer.set_write_buffer_limits(Some(64 << 20), None)?;
    let reading = async {
        let mut read = 0;
        while read < 48 << 20 {
            read += right.reader.read(1 << 20).await?.len();
        }
        Ok::<_, Error>(())
    };
    let (flush, read) = join!(writer.flush(), reading);
    read?;
    Ok(flush?)
}

/// `close` ends the output, and reading continues.
async fn closed() -> Result {
    let Pair { left, right } = tcp().await?;
    let mut left = Duplex::from((left.reader, left.writer));
    left.write_all(b"question").await?;
    left.close().await?;
    same!(right.reader.read_to_end().await?, b"question");
    right.writer.write("answer")?;
    let mut answer = [0; 6];
    left.read_exact(&mut answer).await?;
    same!(&answer, b"answer");
    let error = left.write_all(b"more").await;
    same!(
        error.map_err(|error| error.kind()),
        Err(ErrorKind::BrokenPipe)
    );
    Ok(())
}

/// Errors have a fitting kind, and contain the crate's error.
async fn kinds() -> Result {
    let Pair { left: _left, right } = tcp().await?;
    let mut buffer = [0; 1];
    {
        let mut line = pin!(right.reader.readline());
        pending(line.as_mut())?;
        let mut reader = reads(&right.reader);
        let error = reader.read(&mut buffer).await;
        same!(
            error.map_err(|error| error.kind()),
            Err(ErrorKind::ResourceBusy)
        );
    }
    let mut reader = reads(&right.reader);
    {
        let mut read = pin!(reader.read(&mut buffer));
        pending(read.as_mut())?;
        right.writer.abort();
        let error = timeout(Duration::from_secs(30), read).await?;
        let inside =
            error.map_err(|error| error.into_inner().and_then(|inside| inside.downcast().ok()));
        same!(inside, Err(Some(Box::new(Error::Closed))));
    }
    let mut writer = writes(&right.writer);
    let error = writer.write(b"x").await;
    same!(
        error.map_err(|error| error.kind()),
        Err(ErrorKind::NotConnected)
    );
    Ok(())
}

/// Passes a reader on, as a composed program can, and takes it back.
fn passed_on(reader: Reader) -> Reader {
    #[cfg(feature = "imported")]
    let reader = Reader::from(asyncio_streams::bindings::streams::Reader::from(reader));
    reader
}
