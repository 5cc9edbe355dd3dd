//! Drops: what goes out, and for how long they block.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, ServerOptions, linger, open_connection,
};
use crate::checks::{
    BRIEFLY, Check, MILLISECOND, Node, Pair, Result, SECOND, SOON, check, clog, list, matching,
    pair, peer, peer_with, same, serve, timed, to_the_end,
};

list![
    drop_sends,
    drop_to_a_slow_peer: Slow,
    drop_after_the_deadline: Slow,
    drop_the_reader,
    drop_the_server,
    drop_after_abort: Slow,
    many_beside_an_abandoned_write: Alone
];

/// By itself: it would wait for the lingering connections of the other checks too.
pub(crate) const ABANDONED: Check = Check {
    name: "wait_beside_an_abandoned_write",
    run: wait_beside_an_abandoned_write,
    node: Node::Alone,
};

/// By itself: what it tests is the end of the program.
pub(crate) const FORGOTTEN: Check = Check {
    name: "forgotten",
    run: forgotten,
    node: Node::Named,
};

/// More than the system and the host take at once.
const FORGOTTEN_BYTES: usize = 20_000_000;

fn drop_sends(port: u16) -> Result {
    let (reader, writer) = peer(port, "at-end")?;
    writer.write(b"seven b")?;
    drop(writer);
    drop(reader);
    let (reader, _writer) = peer(port, "was")?;
    same!(reader.readline(SOON)?, b"7\n");
    Ok(())
}

fn drop_to_a_slow_peer(port: u16) -> Result {
    let (reader, writer) = peer(port, "slow")?;
    writer.write(&vec![9; 20_000_000])?;
    drop(writer);
    drop(reader);
    let (reader, _writer) = peer(port, "was")?;
    same!(reader.readline(SOON)?, b"20000000\n");
    Ok(())
}

/// The close deadline bounds the drop.
fn drop_after_the_deadline(port: u16) -> Result {
    let options = ConnectOptions::new();
    options.set_close_deadline(Some(200 * MILLISECOND));
    let (_reader, writer) = peer_with(port, "never", &options)?;
    writer.write(&vec![9; 50_000_000])?;
    let ((), took) = timed(|| drop(writer));
    check!(took >= 150 * MILLISECOND);
    check!(took < 5_000 * MILLISECOND);
    Ok(())
}

/// Without its reader a connection discards input, and its peer is not held back.
fn drop_the_reader(port: u16) -> Result {
    let (reader, writer) = peer(port, "deliver 5000000")?;
    drop(reader);
    let (reader, _writer) = peer(port, "sent")?;
    same!(reader.readline(SOON)?, b"5000000\n");
    drop(writer);
    Ok(())
}

/// Without its server no client comes any more, and those that were accepted go on.
fn drop_the_server(_: u16) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    let client = open_connection("127.0.0.1", port, None)?;
    let accepted = server.accept(SOON)?;
    let ((), took) = timed(|| drop(server));
    check!(took < SECOND);
    matching!(
        open_connection("127.0.0.1", port, None),
        Err(Error::Connect(_))
    );
    client.1.write(b"hello\n")?;
    same!(accepted.0.readline(SOON)?, b"hello\n");
    Ok(())
}

fn drop_after_abort(port: u16) -> Result {
    let (_reader, writer) = peer(port, "never")?;
    writer.write(&vec![9; 30_000_000])?;
    let _ = writer.flush(Some(50 * MILLISECOND));
    writer.abort();
    let ((), took) = timed(|| drop(writer));
    check!(took < 1_000 * MILLISECOND);
    Ok(())
}

/// The host holds bytes for a peer that never reads. They keep no handles of other connections in use, of which more come
/// and go than can exist at a time.
fn many_beside_an_abandoned_write(_: u16) -> Result {
    let Pair { left, right, .. } = pair()?;
    let written = clog(&left.1)?;
    matching!(left.1.flush(BRIEFLY), Err(Error::Cancelled));
    left.1.abort();
    drop(left);
    let (server, port) = serve(&ServerOptions::new())?;
    for number in 0..3_200 {
        let come_and_go = || -> Result {
            let _near = open_connection("127.0.0.1", port, None)?;
            server.accept(SOON)?;
            Ok(())
        };
        come_and_go().map_err(|failure| format!("connection {number}: {}", failure.0))?;
    }
    check!((1..written).contains(&to_the_end(&right.0)?));
    Ok(())
}

/// The host holds bytes for a peer that never reads. No wait is endless because of them.
fn wait_beside_an_abandoned_write(port: u16) -> Result {
    let (reader, writer) = peer(port, "never")?;
    writer.write(&vec![9; 30_000_000])?;
    let _ = writer.flush(Some(50 * MILLISECOND));
    writer.abort();
    drop((reader, writer));
    let (_reader, open) = peer(port, "silence")?;
    let (closed, took) = timed(|| open.wait_closed(None));
    matching!(closed, Err(Error::NotSupported(_)));
    check!(took < 30 * SECOND);
    // Once given up, the abandoned write holds no further call.
    let (closed, took) = timed(|| open.wait_closed(None));
    matching!(closed, Err(Error::NotSupported(_)));
    check!(took < SECOND);
    Ok(())
}

/// `linger` does not wait for a writer that was neither dropped nor closed, and the end of the program discards its queue.
fn forgotten(port: u16) -> Result {
    let (_reader, writer) = peer(port, "slow")?;
    writer.write(&vec![9; FORGOTTEN_BYTES])?;
    std::mem::forget(writer);
    check!(linger(SOON));
    Ok(())
}
