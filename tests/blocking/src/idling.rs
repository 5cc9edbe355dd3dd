//! `idle-timeout`: an idle connection is aborted, and an active one is not.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, Reader, ServerOptions, Wanted, Writer, open_connection, wait_any,
};
use crate::checks::{
    MILLISECOND, NOW, Pair, Result, SECOND, SOON, check, clog, compute, list, matching, pair,
    pair_with, same, serve, timed, to_the_end,
};

list![
    idle_and_silent: Slow,
    idle_with_bytes: Slow,
    idle_while_blocked: Slow,
    not_idle: Slow,
    idle_before_it_is_accepted: Slow,
    idle_without_an_option: Slow,
    idle_while_computing: Slow
];

const IDLE: u64 = 400 * MILLISECOND;

fn options() -> ServerOptions {
    let options = ServerOptions::new();
    options.set_idle_timeout(Some(IDLE));
    options
}

fn idle() -> Result<Pair> {
    pair_with(&ConnectOptions::new(), &options())
}

/// All results of a connection that was idle for too long.
fn over(reader: &Reader, writer: &Writer) -> Result {
    for timeout in [NOW, SOON, None] {
        matching!(reader.read(Some(1), timeout), Err(Error::DeadlineExceeded));
        matching!(reader.readline(timeout), Err(Error::DeadlineExceeded));
        matching!(writer.drain(timeout), Err(Error::DeadlineExceeded));
        matching!(writer.flush(timeout), Err(Error::DeadlineExceeded));
        matching!(writer.wait_closed(timeout), Err(Error::DeadlineExceeded));
    }
    matching!(reader.exception(), Some(Error::DeadlineExceeded));
    matching!(writer.write(b"x"), Err(Error::Closed));
    check!(!reader.at_eof());
    check!(writer.is_closing());
    Ok(())
}

/// The first byte never comes.
fn idle_and_silent(_: u16) -> Result {
    let (pair, setting_up) = timed(idle);
    let Pair { left, right, .. } = pair?;
    let (ended, took) = timed(|| right.0.read(Some(1), None));
    matching!(ended, Err(Error::DeadlineExceeded));
    check!(took + setting_up >= IDLE);
    check!(took < 20 * SECOND);
    over(&right.0, &right.1)?;
    // The socket is closed, although the program keeps its side.
    same!(to_the_end(&left.0)?, 0);
    Ok(())
}

/// Some bytes and then silence: they can be read after the end.
fn idle_with_bytes(_: u16) -> Result {
    let pair = idle()?;
    let (reader, writer) = &pair.right;
    pair.left.1.write(b"abc")?;
    check!(reader.wait(&Wanted::Exactly(3), SOON)?);
    check!(reader.wait(&Wanted::Exactly(4), None)?);
    matching!(reader.readexactly(4, NOW), Err(Error::DeadlineExceeded));
    same!(reader.read(Some(10), NOW)?, b"abc");
    over(reader, writer)
}

/// A peer that takes nothing.
fn idle_while_blocked(_: u16) -> Result {
    let pair = idle()?;
    let (reader, writer) = &pair.right;
    clog(writer)?;
    matching!(writer.drain(None), Err(Error::DeadlineExceeded));
    same!(writer.write_buffer_size(), 0);
    over(reader, writer)
}

/// Bytes in either direction are enough, even those that are discarded.
fn not_idle(_: u16) -> Result {
    // A machine that pauses for too long makes an active connection idle. Then the attempt says nothing.
    for _ in 0..10 {
        let mut paused = false;
        let kept = stay_active(&mut paused);
        if !paused {
            return kept;
        }
    }
    Err("this machine pauses for longer than the idle timeout".into())
}

/// Notes in `paused` whether one of its steps took half of the idle timeout.
fn stay_active(paused: &mut bool) -> Result {
    let (pairs, took) = timed(|| -> Result<_> { Ok((idle()?, idle()?, idle()?)) });
    *paused = took >= IDLE / 2;
    let (to_right, to_left, unread) = pairs?;
    let mut step = |step: &dyn Fn() -> Result| {
        let (done, took) = timed(step);
        *paused |= took >= IDLE / 2;
        done
    };
    drop(unread.right.0);
    for _ in 0..16 {
        step(&|| {
            same!(wait_any(&[], Some(IDLE / 8))?, Vec::<u32>::new());
            to_right.left.1.write(b"x")?;
            same!(to_right.right.0.read(Some(9), SOON)?, b"x");
            to_left.right.1.write(b"x")?;
            unread.left.1.write(b"x")?;
            Ok(())
        })?;
    }
    step(&|| {
        for writer in [&to_right.right.1, &to_left.right.1, &unread.right.1] {
            check!(!writer.is_closing());
            writer.write(b"still here")?;
            writer.flush(SOON)?;
        }
        same!(to_left.left.0.readexactly(26, SOON)?.len(), 26);
        Ok(())
    })
}

/// A connection that is not accepted in time is dropped, and an ended one is never returned.
fn idle_before_it_is_accepted(_: u16) -> Result {
    let options = options();
    options.set_max_connections(1)?;
    let (server, port) = serve(&options)?;
    let late = open_connection("127.0.0.1", port, None)?;
    check!(server.wait_connection(SOON)?);
    same!(to_the_end(&late.0)?, 0);
    check!(server.try_accept()?.is_none());

    let next = open_connection("127.0.0.1", port, None)?;
    let far = server.accept(SOON)?;
    far.1.send(b"welcome\n", SOON)?;
    same!(next.0.readline(SOON)?, b"welcome\n");
    drop(next);
    server.close();
    // The server ends with its last client.
    drop(far);
    server.wait_closed(None)?;
    Ok(())
}

/// Without the option a connection may be idle for any time.
fn idle_without_an_option(_: u16) -> Result {
    let pair = pair()?;
    check!(!pair.right.0.wait(&Wanted::Any, Some(2 * IDLE))?);
    pair.left.1.write(b"x")?;
    same!(pair.right.0.read(Some(9), SOON)?, b"x");
    Ok(())
}

/// Bytes that have come while the program computed count as activity of the call that receives them.
fn idle_while_computing(_: u16) -> Result {
    let pair = idle()?;
    pair.left.1.write(b"in time\n")?;
    pair.left.1.flush(SOON)?;
    compute(2 * IDLE);
    same!(pair.right.0.readline(SOON)?, b"in time\n");
    // Nothing comes any more.
    matching!(pair.right.0.readline(None), Err(Error::DeadlineExceeded));
    Ok(())
}
