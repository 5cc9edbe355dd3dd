//! Closed connections: the reads that follow, and the close deadline.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, Reader, ServerOptions, Wanted, Writer,
};
use crate::checks::{
    BRIEFLY, MILLISECOND, NOW, Pair, Result, SECOND, SOON, check, clog, compute, list, matching,
    pair, pair_with, same, timed,
};

list![
    reads_after_close: Slow,
    reads_after_abort: Slow,
    close_beyond_its_deadline: Slow,
    close_of_a_client_beyond_its_deadline: Slow,
    close_in_time: Slow,
    close_without_deadline: Slow,
    close_then_compute: Slow
];

const DEADLINE: u64 = 200 * MILLISECOND;

fn reads_after_close(_: u16) -> Result {
    buffered_first(&pair()?, Writer::close)
}

fn reads_after_abort(_: u16) -> Result {
    buffered_first(&pair()?, Writer::abort)
}

/// After this side has ended the connection, reads return buffered bytes, then `closed`: never a false end.
fn buffered_first(pair: &Pair, end: impl FnOnce(&Writer)) -> Result {
    let reader = &pair.right.0;
    pair.left.1.write(b"line\nrest")?;
    check!(reader.wait(&Wanted::Exactly(9), SOON)?);
    end(&pair.right.1);
    matching!(reader.exception(), Some(Error::Closed));
    check!(!reader.at_eof());
    same!(reader.readline(NOW)?, b"line\n");
    // A read that the buffer does not satisfy leaves it unchanged.
    for timeout in [NOW, SOON, None] {
        unsatisfied(reader, timeout)?;
        same!(reader.peek(10), b"rest");
    }
    same!(reader.readexactly(3, NOW)?, b"res");
    same!(reader.read(Some(10), NOW)?, b"t");
    for timeout in [NOW, SOON, None] {
        matching!(reader.read(Some(10), timeout), Err(Error::Closed));
        matching!(reader.try_read(10), Err(Error::Closed));
        check!(reader.wait(&Wanted::Any, timeout)?);
    }
    same!(reader.read(Some(0), NOW)?, b"");
    check!(!reader.at_eof());
    Ok(())
}

fn unsatisfied(reader: &Reader, timeout: Option<u64>) -> Result {
    let separators = [b";".to_vec()];
    matching!(reader.readline(timeout), Err(Error::Closed));
    matching!(reader.readexactly(5, timeout), Err(Error::Closed));
    matching!(reader.readuntil(&separators, timeout), Err(Error::Closed));
    matching!(reader.readlines(10, timeout), Err(Error::Closed));
    matching!(reader.read(None, timeout), Err(Error::Closed));
    matching!(reader.try_readline(), Err(Error::Closed));
    matching!(reader.try_readexactly(5), Err(Error::Closed));
    matching!(reader.try_readuntil(&separators), Err(Error::Closed));
    matching!(reader.try_readlines(10), Err(Error::Closed));
    check!(reader.wait(&Wanted::Line, timeout)?);
    Ok(())
}

fn overdue_connect() -> ConnectOptions {
    let options = ConnectOptions::new();
    options.set_close_deadline(Some(DEADLINE));
    options
}

fn close_beyond_its_deadline(_: u16) -> Result {
    let pair = pair_with(&overdue_connect(), &ServerOptions::new())?;
    overdue(&pair.left.0, &pair.left.1)
}

/// The options of a server are those of its clients.
fn close_of_a_client_beyond_its_deadline(_: u16) -> Result {
    let options = ServerOptions::new();
    options.set_close_deadline(Some(DEADLINE));
    let pair = pair_with(&ConnectOptions::new(), &options)?;
    overdue(&pair.right.0, &pair.right.1)
}

/// The peer takes nothing, and the close is cut short.
fn overdue(reader: &Reader, writer: &Writer) -> Result {
    clog(writer)?;
    let (closed, took) = timed(|| {
        writer.close();
        writer.wait_closed(None)
    });
    matching!(closed, Err(Error::DeadlineExceeded));
    check!((DEADLINE..20 * SECOND).contains(&took));
    // From now on every call reports it, except writes, for which the connection is closed.
    for timeout in [NOW, SOON, None] {
        matching!(writer.wait_closed(timeout), Err(Error::DeadlineExceeded));
        matching!(writer.drain(timeout), Err(Error::DeadlineExceeded));
        matching!(writer.flush(timeout), Err(Error::DeadlineExceeded));
        matching!(writer.try_drain(), Err(Error::DeadlineExceeded));
        matching!(writer.write(b"x"), Err(Error::Closed));
        matching!(writer.write_eof(), Err(Error::Closed));
        matching!(reader.read(Some(1), timeout), Err(Error::Closed));
        writer.close();
        writer.abort();
    }
    same!(writer.write_buffer_size(), 0);
    Ok(())
}

/// The deadline has no effect where the peer reads.
fn close_in_time(_: u16) -> Result {
    let pair = pair_with(&overdue_connect(), &ServerOptions::new())?;
    let writer = &pair.left.1;
    writer.write(&vec![0; 1 << 20])?;
    writer.close();
    same!(pair.right.0.read(None, SOON)?.len(), 1 << 20);
    writer.wait_closed(SOON)?;
    compute(2 * DEADLINE);
    writer.wait_closed(NOW)?;
    Ok(())
}

/// A close without a deadline goes on, whatever happens to other connections.
fn close_without_deadline(_: u16) -> Result {
    let options = ConnectOptions::new();
    options.set_close_deadline(None);
    let patient = pair_with(&options, &ServerOptions::new())?;
    let written = clog(&patient.left.1)?;
    patient.left.1.close();
    let hasty = pair_with(&overdue_connect(), &ServerOptions::new())?;
    overdue(&hasty.left.0, &hasty.left.1)?;
    matching!(patient.left.1.wait_closed(BRIEFLY), Err(Error::Cancelled));
    let mut read = 0;
    while read < written {
        read += patient.right.0.read(Some(1 << 20), SOON)?.len();
    }
    patient.left.1.wait_closed(SOON)?;
    Ok(())
}

/// A program that computes beyond the deadline loses nothing of what its peer takes.
fn close_then_compute(_: u16) -> Result {
    let pair = pair_with(&overdue_connect(), &ServerOptions::new())?;
    pair.left.1.write(b"not sent yet\n")?;
    pair.left.1.close();
    compute(3 * DEADLINE);
    pair.left.1.wait_closed(SOON)?;
    same!(pair.right.0.read(None, SOON)?, b"not sent yet\n");
    Ok(())
}
