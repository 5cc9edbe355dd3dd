//! `abort`: it drops the queue, and every later call is `closed`.

use crate::bindings::asyncio::streams::blocking::{Error, Reader, Writer};
use crate::checks::{
    BRIEFLY, NOW, Pair, Result, SOON, check, clog, list, matching, pair, same, to_the_end,
};

list![
    aborted_while_open: Slow,
    aborted_while_closing: Slow,
    aborted_after_the_end: Slow
];

fn aborted_while_open(_: u16) -> Result {
    abort(&pair()?, |_| {})
}

fn aborted_while_closing(_: u16) -> Result {
    abort(&pair()?, Writer::close)
}

/// The peer of the connection takes nothing until the abort.
fn abort(pair: &Pair, before: impl FnOnce(&Writer)) -> Result {
    let (reader, writer) = &pair.left;
    let written = clog(writer)?;
    matching!(writer.flush(BRIEFLY), Err(Error::Cancelled));
    before(writer);
    writer.abort();
    for _ in 0..2 {
        all_closed(reader, writer)?;
        // Again, and a close after it, change nothing.
        writer.abort();
        writer.close();
    }
    check!(to_the_end(&pair.right.0)? < written);
    Ok(())
}

fn all_closed(reader: &Reader, writer: &Writer) -> Result {
    check!(writer.is_closing());
    same!(writer.write_buffer_size(), 0);
    matching!(writer.write(b"x"), Err(Error::Closed));
    matching!(writer.writelines(&[b"x".to_vec()]), Err(Error::Closed));
    matching!(writer.write_eof(), Err(Error::Closed));
    matching!(writer.try_drain(), Err(Error::Closed));
    for timeout in [NOW, SOON, None] {
        matching!(writer.send(b"x", timeout), Err(Error::Closed));
        matching!(writer.drain(timeout), Err(Error::Closed));
        matching!(writer.flush(timeout), Err(Error::Closed));
        matching!(writer.wait_closed(timeout), Err(Error::Closed));
        matching!(reader.read(Some(1), timeout), Err(Error::Closed));
        matching!(reader.read(None, timeout), Err(Error::Closed));
    }
    matching!(reader.exception(), Some(Error::Closed));
    check!(!reader.at_eof());
    Ok(())
}

/// An abort does not change a connection that has ended.
fn aborted_after_the_end(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    writer.close();
    writer.wait_closed(SOON)?;
    writer.abort();
    writer.wait_closed(NOW)?;
    writer.drain(NOW)?;
    writer.flush(NOW)?;
    writer.write_eof()?;
    Ok(())
}
