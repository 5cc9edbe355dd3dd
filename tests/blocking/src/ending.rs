//! The end of a connection: closed, aborted, reset, overdue.

use crate::bindings::asyncio::streams::blocking::{ConnectOptions, Error, linger};
use crate::bindings::asyncio::streams::types::NetworkCode;
use crate::checks::{
    BRIEFLY, Check, MILLISECOND, NOW, Node, Result, SOON, check, is_loss, is_network, list,
    matching, pair, peer, peer_with, same, timed,
};

list![
    closed,
    never_closed: Slow,
    aborted,
    reset_reading: Races,
    reset_writing,
    overdue: Slow,
    lingered
];

/// By itself, since it is followed by the end of the program.
pub(crate) const LINGERING: Check = Check {
    name: "ends_lingering",
    run: ends_lingering,
    node: Node::Named,
};

fn closed(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    writer.write(b"last words")?;
    writer.close();
    check!(writer.is_closing());
    matching!(writer.write(b"more"), Err(Error::Closed));
    matching!(pair.left.0.readline(SOON), Err(Error::Closed));
    writer.wait_closed(SOON)?;
    writer.wait_closed(NOW)?;
    same!(reader.read(None, SOON)?, b"last words");
    same!(reader.readline(SOON)?, b"");
    Ok(())
}

/// A wait that nothing can end is an error, not a hang.
fn never_closed(_: u16) -> Result {
    let pair = pair()?;
    matching!(pair.left.1.wait_closed(None), Err(Error::NotSupported(_)));
    matching!(pair.left.1.wait_closed(BRIEFLY), Err(Error::Cancelled));
    pair.left.1.close();
    pair.left.1.wait_closed(None)?;
    Ok(())
}

fn aborted(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    writer.write(b"dropped")?;
    writer.abort();
    matching!(writer.flush(SOON), Err(Error::Closed));
    matching!(writer.wait_closed(SOON), Err(Error::Closed));
    matching!(pair.left.0.exception(), Some(Error::Closed));
    match reader.read(None, SOON) {
        Ok(bytes) => same!(bytes, b""),
        Err(error) => check!(is_loss(&error)),
    }
    Ok(())
}

fn reset_reading(port: u16) -> Result {
    let (reader, writer) = peer(port, "reset after 5")?;
    same!(reader.readexactly(5, SOON)?, b"xxxxx");
    matching!(reader.readline(SOON), Err(error) if is_network(&error, NetworkCode::ConnectionReset));
    matching!(reader.readline(NOW), Err(error) if is_network(&error, NetworkCode::ConnectionReset));
    check!(!reader.at_eof());
    matching!(writer.write(b"x"), Err(error) if is_loss(&error));
    matching!(writer.wait_closed(SOON), Err(error) if is_loss(&error));
    Ok(())
}

fn reset_writing(port: u16) -> Result {
    let (_reader, writer) = peer(port, "reset after 0")?;
    let part = vec![1; 200_000];
    let mut failed = None;
    for _ in 0..1_000 {
        if let Err(error) = writer.write(&part).and_then(|()| writer.flush(SOON)) {
            failed = Some(error);
            break;
        }
    }
    matching!(failed, Some(error) if is_loss(&error));
    matching!(writer.wait_closed(SOON), Err(error) if is_loss(&error));
    Ok(())
}

/// A peer that takes nothing is given up after the close deadline, also where the host holds bytes for it.
fn overdue(port: u16) -> Result {
    let options = ConnectOptions::new();
    options.set_close_deadline(Some(100 * MILLISECOND));
    let (_reader, writer) = peer_with(port, "never", &options)?;
    writer.write(&vec![1; 50_000_000])?;
    writer.close();
    matching!(writer.wait_closed(BRIEFLY), Err(Error::Cancelled));
    let (result, took) = timed(|| writer.wait_closed(SOON));
    matching!(result, Err(Error::DeadlineExceeded));
    check!(took < 10_000 * MILLISECOND);
    let ((), took) = timed(|| drop(writer));
    check!(took < 1_000 * MILLISECOND);
    Ok(())
}

/// The peer sends after this side has closed, and still gets everything.
fn lingered(port: u16) -> Result {
    ends_lingering(port)?;
    let (reader, _writer) = peer(port, "talked")?;
    same!(reader.readline(SOON)?, b"300000 and an end\n");
    check!(linger(NOW));
    Ok(())
}

/// The same, for the end of the program.
fn ends_lingering(port: u16) -> Result {
    let (reader, writer) = peer(port, "talks")?;
    writer.write(&vec![2; 300_000])?;
    writer.close();
    writer.wait_closed(SOON)?;
    drop((reader, writer));
    check!(linger(SOON));
    Ok(())
}
