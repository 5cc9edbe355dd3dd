//! Every read, the limits, and peers that are hard to read from.

use crate::bindings::asyncio::streams::blocking::{ConnectOptions, Error, ServerOptions, Wanted};
use crate::checks::{
    BRIEFLY, NOW, Result, SOON, check, list, matching, pair, pair_with, peer, peer_with, same,
    timed,
};

list![
    lines,
    exactly,
    until,
    blocks,
    to_end,
    peeked,
    limits,
    silent,
    without_wait,
    bytewise,
    endless_line,
    endless_input,
    many_lines
];

fn lines(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    writer.write(b"one\n\ntwo\r\nthree\nfi")?;
    for line in ["one\n", "\n", "two\r\n", "three\n"] {
        same!(reader.readline(SOON)?, line.as_bytes());
    }
    writer.write(b"ve")?;
    writer.write_eof()?;
    same!(reader.readline(SOON)?, b"five");
    same!(reader.readline(SOON)?, b"");
    same!(reader.try_readline()?, Some(Vec::new()));
    Ok(())
}

fn exactly(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    same!(reader.readexactly(0, NOW)?, b"");
    writer.write(b"abcdef")?;
    same!(reader.readexactly(4, SOON)?, b"abcd");
    writer.write_eof()?;
    matching!(
        reader.readexactly(4, SOON),
        Err(Error::IncompleteRead(incomplete)) if incomplete.partial == b"ef" && incomplete.expected == Some(4)
    );
    Ok(())
}

fn until(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    let separators = [b";".to_vec(), b"--".to_vec()];
    writer.write(b"a;b--c-")?;
    same!(reader.readuntil(&separators, SOON)?, b"a;");
    same!(reader.readuntil(&separators, SOON)?, b"b--");
    matching!(
        reader.readuntil(&separators, BRIEFLY),
        Err(Error::Cancelled)
    );
    matching!(reader.readuntil(&[], NOW), Err(Error::InvalidArgument(_)));
    matching!(
        reader.wait(&Wanted::Until(vec![Vec::new()]), NOW),
        Err(Error::InvalidArgument(_))
    );
    writer.write(b"-")?;
    check!(reader.wait(&Wanted::Until(separators.to_vec()), SOON)?);
    same!(reader.try_readuntil(&separators)?, Some(b"c--".to_vec()));
    Ok(())
}

fn blocks(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    writer.write(b"one\ntwo\nthr")?;
    same!(reader.readlines(1_000, SOON)?, b"one\ntwo\n");
    same!(reader.try_readlines(1_000)?, None);
    writer.write(b"ee\nfour\n")?;
    writer.write_eof()?;
    check!(reader.wait(&Wanted::End, SOON)?);
    same!(reader.readlines(6, SOON)?, b"three\n");
    same!(reader.try_readlines(6)?, Some(b"four\n".to_vec()));
    same!(reader.readlines(6, SOON)?, b"");
    Ok(())
}

fn to_end(port: u16) -> Result {
    let (reader, _writer) = peer(port, "send 3000000")?;
    same!(reader.read(None, SOON)?.len(), 3_000_000);
    same!(reader.read(Some(10), SOON)?, b"");
    check!(reader.exception().is_none());
    Ok(())
}

fn peeked(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    writer.write(b"abcdef")?;
    check!(reader.wait(&Wanted::Exactly(6), SOON)?);
    same!(reader.buffered(), 6);
    same!(reader.peek(3), b"abc");
    same!(reader.discard(2), 2);
    same!(reader.read(Some(3), SOON)?, b"cde");
    same!(reader.limit(), 65_536);
    Ok(())
}

fn limits(_: u16) -> Result {
    let options = ServerOptions::new();
    options.set_limit(8)?;
    options.set_max_result(32)?;
    let pair = pair_with(&ConnectOptions::new(), &options)?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    writer.write(b"a line that is too long\nshort\n")?;
    writer.write_eof()?;
    let overrun = reader.readline(SOON);
    matching!(overrun, Err(Error::LimitOverrun(overrun)) if overrun.found && overrun.consumed == 23);
    same!(reader.discard(24), 24);
    same!(reader.readline(SOON)?, b"short\n");
    matching!(reader.readexactly(33, SOON), Err(Error::TooLarge(33)));
    Ok(())
}

/// A peer that says nothing.
fn silent(port: u16) -> Result {
    let (reader, writer) = peer(port, "silence")?;
    let (read, took) = timed(|| reader.readline(BRIEFLY));
    matching!(read, Err(Error::Cancelled));
    check!(took >= 20_000_000);
    check!(!reader.wait(&Wanted::Any, BRIEFLY)?);
    // The connection goes on.
    writer.write(b"go\n")?;
    same!(reader.readline(SOON)?, b"went\n");
    Ok(())
}

/// A timeout of 0 takes what is there; reads without a wait make progress by themselves.
fn without_wait(port: u16) -> Result {
    let (reader, writer) = peer(port, "silence")?;
    same!(reader.try_readline()?, None);
    matching!(reader.readexactly(1, NOW), Err(Error::Cancelled));
    check!(!reader.wait(&Wanted::Any, NOW)?);
    writer.write(b"go\n")?;
    let (line, _) = timed(|| {
        loop {
            match reader.try_readline() {
                Ok(None) => {}
                answer => return answer,
            }
        }
    });
    same!(line?, Some(b"went\n".to_vec()));
    same!(reader.try_read(10)?, None);
    Ok(())
}

fn bytewise(port: u16) -> Result {
    let (reader, _writer) = peer(port, "bytewise")?;
    same!(
        reader.readuntil(&[b"\r\n\r\n".to_vec()], SOON)?,
        b"head: 1\r\n\r\n"
    );
    same!(reader.readline(SOON)?, b"body\n");
    same!(reader.read(None, SOON)?, b"");
    Ok(())
}

fn endless_line(port: u16) -> Result {
    let (reader, writer) = peer(port, "endless")?;
    let overrun = reader.readline(SOON);
    matching!(overrun, Err(Error::LimitOverrun(overrun)) if !overrun.found && overrun.consumed > 65_536);
    check!(reader.buffered() < 1_000_000);
    writer.abort();
    Ok(())
}

/// A read that a fast peer never satisfies keeps its timeout and its bound.
fn endless_input(port: u16) -> Result {
    let (reader, writer) = peer(port, "endless")?;
    let (read, took) = timed(|| reader.readuntil(&[vec![b'?'; 3]], Some(100_000_000)));
    matching!(read, Err(Error::LimitOverrun(_)));
    check!(took < 20_000_000_000);
    writer.abort();
    let options = ConnectOptions::new();
    options.set_max_result(1_000_000)?;
    let (reader, writer) = peer_with(port, "endless", &options)?;
    matching!(reader.read(None, SOON), Err(Error::TooLarge(n)) if n > 1_000_000);
    // It takes seconds to read that much, if the timeout does not end it.
    let options = ConnectOptions::new();
    options.set_max_result(2_000_000_000)?;
    writer.abort();
    let (reader, writer) = peer_with(port, "endless", &options)?;
    let (read, took) = timed(|| reader.read(None, BRIEFLY));
    matching!(read, Err(Error::Cancelled));
    check!(took < 2_000_000_000);
    writer.abort();
    Ok(())
}

/// Written bytes go out although no read ever waits.
fn many_lines(port: u16) -> Result {
    let (_quiet, answered) = peer(port, "echo")?;
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    let lines = "line\n".repeat(1_000);
    writer.write(lines.as_bytes())?;
    check!(reader.wait(&Wanted::Exactly(5_000), SOON)?);
    answered.write(b"queued")?;
    for _ in 0..100 {
        same!(reader.readline(SOON)?, b"line\n");
    }
    same!(answered.write_buffer_size(), 0);
    Ok(())
}
