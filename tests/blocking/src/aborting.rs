//! `abort`: it drops the queue, and every later call is `closed`.

use crate::bindings::asyncio::streams::blocking::{Error, Reader, Server, ServerOptions, Writer};
use crate::bindings::wasi02::wasi::clocks::monotonic_clock::subscribe_duration;
use crate::bindings::wasi02::wasi::io::poll::poll;
use crate::checks::{
    BRIEFLY, NOW, Pair, Result, SECOND, SOON, check, clog, list, matching, pair, same, serve,
    to_the_end,
};
use crate::wrapping::connected;

list![
    aborted_between_calls,
    clients_aborted_between_calls,
    aborted_while_open: Slow,
    aborted_while_closing: Slow,
    aborted_after_the_end: Slow
];

fn aborted_between_calls(_: u16) -> Result {
    between_calls(|_, writer| writer.abort())
}

fn clients_aborted_between_calls(_: u16) -> Result {
    between_calls(|server, _| server.abort_clients())
}

/// The peer of an aborted connection sees its end before the next call. Calls of the host alone move no other bytes.
fn between_calls(abort: impl FnOnce(&Server, &Writer)) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    let (socket, incoming, outgoing) = connected(port)?;
    let (_reader, writer) = server.accept(SOON)?;
    abort(&server, &writer);
    let late = subscribe_duration(20 * SECOND);
    let end = incoming.subscribe();
    loop {
        same!(poll(&[&end, &late]), [0]);
        match incoming.read(1) {
            Ok(bytes) => check!(bytes.is_empty()),
            Err(_) => break,
        }
    }
    drop(end);
    drop((incoming, outgoing));
    drop(socket);
    Ok(())
}

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
