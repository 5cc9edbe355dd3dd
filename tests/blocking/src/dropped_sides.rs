//! Dropping reader and writer in any order, or one of them alone: queued bytes still arrive, and then the end.

use crate::bindings::asyncio::streams::blocking::{ConnectOptions, Error, ServerOptions, Wanted};
use crate::checks::{
    Failure, MILLISECOND, NOW, Pair, Result, SECOND, SOON, check, clog, list, matching, pair,
    pair_with, same, timed, to_the_end,
};
use asyncio_streams_contract::{follow, pattern};

list![
    both_sides: Slow,
    reader_alone: Slow,
    writer_alone: Slow,
    sides_after_abort: Slow,
    much_queued: Slow,
    many_at_once: Slow
];

/// The part that is sent at once.
const PART: usize = 300_000;

/// The use of a side before it is dropped.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Buffered,
    WriteEof,
    Closed,
    PeersEnd,
    TimedOut,
}

fn both_sides(_: u16) -> Result {
    for before in [
        Before::Nothing,
        Before::Buffered,
        Before::WriteEof,
        Before::Closed,
        Before::PeersEnd,
        Before::TimedOut,
    ] {
        for reader_first in [false, true] {
            both(pair()?, before, reader_first)
                .map_err(|failure| Failure(format!("{before:?} {reader_first}: {}", failure.0)))?;
        }
    }
    Ok(())
}

/// The other end receives all bytes and the end, in either order of dropping.
///
/// The drop of a writer blocks until the host has all of the bytes. Both ends are in this program, so that the peer does not
/// read meanwhile: the bytes must fit into what the system buffers.
fn both(pair: Pair, before: Before, reader_first: bool) -> Result {
    let Pair { left, right, .. } = pair;
    let sent = pattern(0, PART);
    left.1.write(&sent)?;
    match before {
        Before::Nothing => {}
        Before::Buffered => {
            right.1.write(b"never read")?;
            check!(left.0.wait(&Wanted::Exactly(10), SOON)?);
        }
        Before::WriteEof => left.1.write_eof()?,
        Before::Closed => left.1.close(),
        Before::PeersEnd => {
            right.1.write_eof()?;
            check!(left.0.wait(&Wanted::End, SOON)?);
        }
        Before::TimedOut => {
            matching!(left.0.read(Some(1), NOW), Err(Error::Cancelled));
            matching!(left.1.wait_closed(NOW), Err(Error::Cancelled));
        }
    }
    let (reader, writer) = left;
    if reader_first {
        drop(reader);
        drop(writer);
    } else {
        drop(writer);
        drop(reader);
    }
    let bytes = right.0.read(None, SOON)?;
    same!(bytes.len(), sent.len());
    follow(0, &bytes).map_err(|failure| Failure(failure.to_string()))?;
    check!(right.0.at_eof());
    Ok(())
}

/// The connection lives until the writer ends. Unread input does not hold the peer back.
fn reader_alone(_: u16) -> Result {
    let Pair { left, right, .. } = pair()?;
    let (reader, writer) = left;
    drop(reader);
    for start in (0..100 * PART).step_by(PART) {
        right.1.send(&pattern(start, PART), SOON)?;
    }
    right.1.flush(SOON)?;
    check!(!writer.is_closing());
    writer.send(b"still here\n", SOON)?;
    same!(right.0.readline(SOON)?, b"still here\n");
    drop(writer);
    same!(right.0.read(Some(1), SOON)?, b"");
    Ok(())
}

/// Dropping a writer closes: the reader returns buffered bytes, then `closed`.
fn writer_alone(_: u16) -> Result {
    let Pair { left, right, .. } = pair()?;
    let (reader, writer) = left;
    right.1.write(b"buffered\nrest")?;
    check!(reader.wait(&Wanted::Exactly(13), SOON)?);
    writer.write(b"last words")?;
    drop(writer);
    same!(reader.readline(NOW)?, b"buffered\n");
    matching!(reader.readline(SOON), Err(Error::Closed));
    same!(reader.read(Some(10), NOW)?, b"rest");
    matching!(reader.read(Some(10), None), Err(Error::Closed));
    same!(right.0.read(None, SOON)?, b"last words");
    Ok(())
}

/// After `abort` nothing is left to do.
fn sides_after_abort(_: u16) -> Result {
    for reader_first in [false, true] {
        let Pair { left, right, .. } = pair()?;
        let (reader, writer) = left;
        let written = clog(&writer)?;
        writer.abort();
        let ((), took) = timed(|| {
            if reader_first {
                drop(reader);
                drop(writer);
            } else {
                drop(writer);
                drop(reader);
            }
        });
        check!(took < SECOND);
        check!(to_the_end(&right.0)? < written);
    }
    Ok(())
}

/// The close deadline bounds a drop too: a peer that does not read loses the rest.
fn much_queued(_: u16) -> Result {
    let options = ConnectOptions::new();
    options.set_close_deadline(Some(100 * MILLISECOND));
    let Pair { left, right, .. } = pair_with(&options, &ServerOptions::new())?;
    let written = clog(&left.1)?;
    let ((), took) = timed(|| drop(left));
    check!((100 * MILLISECOND..20 * SECOND).contains(&took));
    check!(to_the_end(&right.0)? < written);
    Ok(())
}

/// One side or both of many connections: nothing of the others is lost.
fn many_at_once(_: u16) -> Result {
    let mut kept = Vec::new();
    for n in 0..60 {
        let Pair { left, right, .. } = pair()?;
        let (reader, writer) = left;
        writer.write(b"one\ntwo\n")?;
        kept.push(match n % 3 {
            0 => {
                drop(reader);
                (right, None, Some(writer))
            }
            1 => {
                drop(writer);
                (right, Some(reader), None)
            }
            _ => {
                drop((reader, writer));
                (right, None, None)
            }
        });
    }
    for ((reader, writer), our_reader, our_writer) in &kept {
        same!(reader.readexactly(8, SOON)?, b"one\ntwo\n");
        if let Some(our_writer) = our_writer {
            check!(!reader.wait(&Wanted::Any, NOW)?);
            writer.send(b"discarded", SOON)?;
            check!(!our_writer.is_closing());
        } else {
            same!(reader.read(Some(1), SOON)?, b"");
        }
        if let Some(our_reader) = our_reader {
            matching!(our_reader.readline(SOON), Err(Error::Closed));
        }
    }
    Ok(())
}
