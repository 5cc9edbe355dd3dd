//! Reader and writer can be dropped in any order, at any moment without a pending call: queued bytes still arrive,
//! and then the end.

use asyncio_streams::{ConnectOptions, Error, ServerOptions, Wanted};
use asyncio_streams_test_programs::{
    Failure, Pair, Result, Side, check, clog, follow, is_loss, matching, memory, pattern,
    raw_reader, raw_writer, same, tcp, tcp_with,
};

asyncio_streams::run!(main);

const MUCH: usize = 3 << 20;

/// The use of a side before it is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Nothing,
    Buffered,
    WriteEof,
    Closed,
    PeersEnd,
    Cancelled,
}

const ALL: [Before; 6] = [
    Before::Nothing,
    Before::Buffered,
    Before::WriteEof,
    Before::Closed,
    Before::PeersEnd,
    Before::Cancelled,
];

async fn main() -> Result {
    for before in ALL {
        for reader_first in [false, true] {
            for pair in [tcp().await?, memory().await?] {
                let dropped = both(pair, before, reader_first).await;
                dropped.map_err(|error| {
                    Failure::new(format_args!("{before:?} {reader_first}: {error}"))
                })?;
            }
        }
    }
    for pair in [tcp().await?, memory().await?] {
        reader_alone(pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        writer_alone(pair).await?;
    }
    aborted().await?;
    with_much_queued().await
}

async fn prepare(side: &Side, peer: &Side, before: Before) -> Result {
    match before {
        Before::Nothing => {}
        Before::Buffered => {
            peer.writer.write("never read")?;
            side.reader.wait(Wanted::Exactly(10)).await?;
        }
        Before::WriteEof => side.writer.write_eof()?,
        Before::Closed => side.writer.close(),
        Before::PeersEnd => {
            peer.writer.write_eof()?;
            side.reader.wait(Wanted::End).await?;
        }
        Before::Cancelled => {
            let cancel = async {
                asyncio_streams_test_programs::turns(2).await;
                side.reader.cancel();
                side.writer.cancel(asyncio_streams::Waits::all());
            };
            let raw = (raw_reader(&side.reader), raw_writer(&side.writer));
            let (read, closed, ()) =
                futures::join!(raw.0.read(Some(1)), raw.1.wait_closed(), cancel);
            check!(read.is_err() && closed.is_err());
        }
    }
    Ok(())
}

/// The other end receives all bytes and the end, in either order of dropping.
async fn both(pair: Pair, before: Before, reader_first: bool) -> Result {
    let Pair { left, right } = pair;
    left.writer.write(pattern(0, MUCH))?;
    prepare(&left, &right, before).await?;
    let Side { reader, writer } = left;
    if reader_first {
        drop(reader);
        drop(writer);
    } else {
        drop(writer);
        drop(reader);
    }
    let bytes = right.reader.read_to_end().await?;
    same!(bytes.len(), MUCH);
    follow(0, &bytes)?;
    check!(right.reader.at_eof());
    drop(right.writer);
    drop(right.reader);
    Ok(())
}

/// The connection lives until the writer ends; unread input does not hold the peer back.
async fn reader_alone(pair: Pair) -> Result {
    let Pair { left, right } = pair;
    drop(left.reader);
    let sending = async {
        for start in (0..10 * MUCH).step_by(MUCH) {
            right.writer.send(pattern(start, MUCH)).await?;
        }
        right.writer.flush().await?;
        Result::Ok(())
    };
    sending.await?;
    check!(!left.writer.is_closing());
    left.writer.send("still here\n").await?;
    same!(right.reader.readline().await?, b"still here\n");
    drop(left.writer);
    same!(right.reader.read(1).await?, b"");
    Ok(())
}

/// Dropping a writer closes: the reader returns buffered bytes, then `closed`.
async fn writer_alone(pair: Pair) -> Result {
    let Pair { left, right } = pair;
    right.writer.write("buffered\nrest")?;
    left.reader.wait(Wanted::Exactly(13)).await?;
    left.writer.write("last words")?;
    drop(left.writer);
    same!(left.reader.readline().await?, b"buffered\n");
    matching!(left.reader.readline().await, Err(Error::Closed));
    same!(left.reader.read(10).await?, b"rest");
    matching!(left.reader.read(10).await, Err(Error::Closed));
    same!(right.reader.read_to_end().await?, b"last words");
    Ok(())
}

/// After `abort` nothing is left to do.
async fn aborted() -> Result {
    for reader_first in [false, true] {
        for Pair { left, right } in [tcp().await?, memory().await?] {
            clog(&left.writer)?;
            left.writer.abort();
            if reader_first {
                drop(left.reader);
                drop(left.writer);
            } else {
                drop(left);
            }
            loop {
                match right.reader.read(1 << 20).await {
                    Ok(bytes) if bytes.is_empty() => break,
                    Ok(_) => {}
                    Err(error) => {
                        check!(is_loss(&error), "{error:?}");
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The close deadline applies to a dropped writer as well: a peer that does not read loses the rest.
async fn with_much_queued() -> Result {
    let options = ConnectOptions::new().close_deadline(std::time::Duration::from_millis(100));
    let Pair { left, right } = tcp_with(&options, &ServerOptions::new()).await?;
    let written = clog(&left.writer)?;
    drop(left);
    asyncio_streams::sleep(std::time::Duration::from_millis(500)).await;
    let mut read = 0;
    loop {
        match right.reader.read(1 << 20).await {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => read += bytes.len(),
            Err(error) => {
                check!(is_loss(&error), "{error:?}");
                break;
            }
        }
    }
    check!(read < written, "it went on after its deadline");
    Ok(())
}
