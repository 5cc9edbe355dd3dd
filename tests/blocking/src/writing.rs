//! The queue, its marks, and when bytes go out.

use crate::bindings::asyncio::streams::blocking::{ConnectOptions, Error, ServerOptions, Wanted};
use crate::checks::{
    BRIEFLY, NOW, Result, SECOND, SOON, check, compute, list, matching, pair, pair_with, peer, same,
};

list![
    marks,
    queued,
    flushed,
    drained: Slow,
    drained_by_tries,
    full,
    sends_for_all: Slow,
    computes,
    half_closed
];

fn marks(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    same!(writer.write_buffer_limits(), (16_384, 65_536));
    writer.set_write_buffer_limits(Some(1_000), None)?;
    same!(writer.write_buffer_limits(), (250, 1_000));
    matching!(
        writer.set_write_buffer_limits(Some(1), Some(2)),
        Err(Error::InvalidArgument(_))
    );
    check!(writer.try_drain()?);
    writer.write(&[0; 1_001])?;
    check!(!writer.try_drain()?);
    writer.drain(SOON)?;
    check!(writer.try_drain()?);
    Ok(())
}

/// A write alone sends nothing, and neither does a drain below the mark.
fn queued(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    writer.write(b"later")?;
    writer.drain(SOON)?;
    same!(writer.write_buffer_size(), 5);
    same!(pair.right.0.readexactly(5, SOON)?, b"later");
    same!(writer.write_buffer_size(), 0);
    Ok(())
}

fn flushed(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    writer.writelines(&[b"a".to_vec(), b"b".to_vec()])?;
    writer.flush(SOON)?;
    same!(writer.write_buffer_size(), 0);
    writer.write(b"c")?;
    // A flush that does not wait sends too.
    writer.flush(NOW)?;
    same!(pair.right.0.readexactly(3, SOON)?, b"abc");
    Ok(())
}

/// A peer that takes nothing holds `drain` back; it goes on when the peer reads.
fn drained(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    let mut written = 0_u64;
    let part = vec![7; 1_000_000];
    let blocked = loop {
        writer.write(&part)?;
        written += 1_000_000;
        match writer.drain(BRIEFLY) {
            Ok(()) if written < 60_000_000 => {}
            other => break other,
        }
    };
    matching!(blocked, Err(Error::Cancelled));
    check!(writer.write_buffer_size() > 65_536);
    let mut read = 0_u64;
    while read < written {
        read += u64::try_from(reader.read(Some(1_000_000), SOON)?.len()).unwrap_or(0);
    }
    same!(read, written);
    writer.drain(SOON)?;
    same!(writer.write_buffer_size(), 0);
    Ok(())
}

/// A loop over `try-drain` sends what it waits for: after a pause, until the queue is at the low mark.
fn drained_by_tries(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    writer.write(&[0; 200_000])?;
    check!(!writer.try_drain()?);
    check!((0..100_000).any(|_| matches!(writer.try_drain(), Ok(true))));
    check!(writer.write_buffer_size() <= 16_384);
    Ok(())
}

fn full(_: u16) -> Result {
    let options = ConnectOptions::new();
    options.set_max_queued(10)?;
    let pair = pair_with(&options, &ServerOptions::new())?;
    let writer = &pair.left.1;
    writer.write(b"12345678")?;
    matching!(writer.write(b"123"), Err(Error::BufferFull));
    writer.send(b"90", SOON)?;
    matching!(writer.write(b"1"), Err(Error::BufferFull));
    writer.flush(SOON)?;
    writer.write(b"1")?;
    same!(pair.right.0.readexactly(11, SOON)?, b"12345678901");
    Ok(())
}

/// A wait on one connection sends for all others.
fn sends_for_all(port: u16) -> Result {
    let pairs: Vec<_> = (0..50).map(|_| pair()).collect::<Result<_>>()?;
    for pair in &pairs {
        pair.left.1.write(&[1; 100_000])?;
    }
    let (reader, writer) = peer(port, "echo")?;
    for _ in 0..20 {
        writer.write(b"x")?;
        same!(reader.readexactly(1, SOON)?, b"x");
    }
    for pair in &pairs {
        check!(pair.left.1.write_buffer_size() < 100_000);
    }
    for pair in &pairs {
        same!(pair.right.0.readexactly(100_000, SOON)?.len(), 100_000);
    }
    Ok(())
}

/// A program that computes for seconds between its calls loses nothing; what it flushed is there.
fn computes(_: u16) -> Result {
    let pair = pair()?;
    pair.left.1.write(b"before\n")?;
    pair.left.1.flush(SOON)?;
    pair.left.1.write(b"after\n")?;
    compute(2 * SECOND);
    same!(pair.right.0.readline(SOON)?, b"before\n");
    check!(pair.right.0.wait(&Wanted::Line, SOON)?);
    same!(pair.right.0.readline(SOON)?, b"after\n");
    Ok(())
}

fn half_closed(port: u16) -> Result {
    let (reader, writer) = peer(port, "count")?;
    writer.write(b"all of it")?;
    check!(writer.can_write_eof());
    writer.write_eof()?;
    writer.write_eof()?;
    matching!(writer.write(b"more"), Err(Error::WriteAfterEof));
    same!(reader.readline(SOON)?, b"9 bytes\n");
    same!(reader.read(None, SOON)?, b"");
    check!(!writer.is_closing());
    writer.close();
    writer.wait_closed(SOON)?;
    Ok(())
}
