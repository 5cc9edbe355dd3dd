//! Pollables of readers, for programs that poll by themselves.

use crate::bindings::asyncio::streams::blocking::Error;
use crate::bindings::wasi02::wasi::clocks::monotonic_clock::subscribe_duration;
use crate::bindings::wasi02::wasi::io::poll::poll;
use crate::checks::{
    Check, MILLISECOND, Node, Result, SECOND, SOON, check, list, matching, pair, peer, same,
};

/// Only where a trap is expected.
pub(crate) const READER_FIRST: Check = Check {
    name: "reader_first",
    run: reader_first,
    node: Node::Named,
};

list![polled: Differs, after_the_end: Slow, after_close];

fn polled(port: u16) -> Result {
    let (reader, writer) = peer(port, "echo")?;
    let readable = reader.subscribe();
    check!(!readable.ready());
    let briefly = subscribe_duration(10 * MILLISECOND);
    same!(poll(&[&readable, &briefly]), [1]);
    // Polling sends nothing, so that a flush goes before.
    writer.write(b"one\ntwo\n")?;
    writer.flush(SOON)?;
    let late = subscribe_duration(20 * SECOND);
    same!(poll(&[&readable, &late]), [0]);
    same!(reader.readline(SOON)?, b"one\n");
    // A line is buffered, of which the socket does not know.
    let buffered = reader.subscribe();
    same!(poll(&[&buffered]), [0]);
    same!(reader.try_readline()?, Some(b"two\n".to_vec()));
    drop((readable, buffered));
    Ok(())
}

fn after_the_end(port: u16) -> Result {
    let (reader, _writer) = peer(port, "send 3")?;
    let readable = reader.subscribe();
    same!(reader.read(None, SOON)?, b"sss");
    same!(poll(&[&readable]), [0]);
    same!(poll(&[&reader.subscribe()]), [0]);
    same!(reader.try_read(1)?, Some(Vec::new()));
    Ok(())
}

/// A pollable of a connection that this side has closed is harmless. One that is made after that is ready, as reads have an
/// answer.
fn after_close(_: u16) -> Result {
    for aborts in [false, true] {
        let pair = pair()?;
        let (reader, writer) = pair.left;
        let readable = reader.subscribe();
        if aborts {
            writer.abort();
        } else {
            writer.close();
            writer.wait_closed(SOON)?;
        }
        matching!(reader.try_read(1), Err(Error::Closed));
        let late = subscribe_duration(20 * SECOND);
        same!(poll(&[&reader.subscribe(), &late]), [0]);
        // The peer has ended too, so that the socket has an end to report.
        drop(writer);
        drop(pair.right);
        same!(poll(&[&readable, &late]), [0]);
        same!(poll(&[&reader.subscribe(), &late]), [0]);
        drop(readable);
        drop(reader);
    }
    Ok(())
}

/// A use that the documentation forbids.
fn reader_first(_: u16) -> Result {
    let pair = pair()?;
    let readable = pair.left.0.subscribe();
    // Nothing but the pollable needs the stream any more.
    drop(pair.right);
    same!(pair.left.0.read(None, SOON)?, b"");
    drop(pair.left);
    drop(readable);
    Ok(())
}
