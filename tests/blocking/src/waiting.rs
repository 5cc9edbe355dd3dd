//! `wait-any`: for one event of a few.

use crate::bindings::asyncio::streams::blocking::{
    Error, Event, ServerOptions, Wanted, Watch, open_connection, wait_any,
};
use crate::checks::{
    BRIEFLY, NOW, Result, SECOND, SOON, check, list, matching, pair, peer, same, serve, timed,
};

list![nothing, one_of_many: Slow, all_kinds, twice: Slow, hidden: Slow, far_away];

fn nothing(port: u16) -> Result {
    matching!(wait_any(&[], None), Err(Error::InvalidArgument(_)));
    same!(wait_any(&[], NOW)?, Vec::<u32>::new());
    // A sleep that moves bytes.
    let (_reader, writer) = peer(port, "echo")?;
    writer.write(b"x")?;
    let (slept, took) = timed(|| wait_any(&[], BRIEFLY));
    same!(slept?, Vec::<u32>::new());
    check!(took >= 20_000_000);
    same!(writer.write_buffer_size(), 0);
    Ok(())
}

fn one_of_many(_: u16) -> Result {
    let pairs: Vec<_> = (0..100).map(|_| pair()).collect::<Result<_>>()?;
    let events = || -> Vec<Event<'_>> {
        let readers = pairs.iter().map(|pair| &pair.right.0);
        readers
            .map(|reader| Event::Readable((reader, Wanted::Line)))
            .collect()
    };
    same!(wait_any(&events(), BRIEFLY)?, Vec::<u32>::new());
    pairs[70].left.1.write(b"half")?;
    same!(wait_any(&events(), BRIEFLY)?, Vec::<u32>::new());
    pairs[70].left.1.write(b" a line\n")?;
    same!(wait_any(&events(), SOON)?, vec![70]);
    // By state: it is there until it is read.
    same!(wait_any(&events(), NOW)?, vec![70]);
    pairs[3].left.1.write_eof()?;
    check!(pairs[3].right.0.wait(&Wanted::Line, SOON)?);
    same!(wait_any(&events(), SOON)?, vec![3, 70]);
    same!(pairs[70].right.0.readline(SOON)?, b"half a line\n");
    same!(wait_any(&events(), SOON)?, vec![3]);
    Ok(())
}

fn all_kinds(_: u16) -> Result {
    let pair = pair()?;
    let (server, port) = serve(&ServerOptions::new())?;
    let events = || {
        [
            Event::Readable((&pair.left.0, Wanted::Any)),
            Event::Drained(&pair.left.1),
            Event::Flushed(&pair.left.1),
            Event::Closed(&pair.left.1),
            Event::Connection(&server),
        ]
    };
    same!(wait_any(&events(), NOW)?, vec![1, 2]);
    pair.left.1.set_write_buffer_limits(Some(0), None)?;
    pair.left.1.write(b"x")?;
    // They send what they wait for.
    check!(wait_any(&events()[1..3], SOON)?.contains(&0));
    let connected = open_connection("127.0.0.1", port, None)?;
    check!(wait_any(&events()[4..], SOON)? == [0]);
    drop(server.accept(NOW)?);
    drop(connected);
    pair.left.1.close();
    check!(wait_any(&[Event::Closed(&pair.left.1)], SOON)? == [0]);
    // This side has closed: the read would say so.
    check!(wait_any(&[Event::Readable((&pair.left.0, Wanted::Any))], NOW)? == [0]);
    Ok(())
}

fn twice(_: u16) -> Result {
    let pair = pair()?;
    let event = || Event::Readable((&pair.left.0, Wanted::Any));
    matching!(wait_any(&[event(), event()], SOON), Err(Error::Busy));
    // Nothing is left of it.
    pair.right.1.write(b"x")?;
    same!(pair.left.0.read(Some(1), SOON)?, b"x");

    let (server, port) = serve(&ServerOptions::new())?;
    let events = [Event::Connection(&server), Event::Connection(&server)];
    matching!(wait_any(&events, SOON), Err(Error::Busy));
    let watch = Watch::new();
    watch.add(&events[0], 1)?;
    watch.add(&events[1], 2)?;
    matching!(watch.wait(SOON), Err(Error::Busy));
    let _client = open_connection("127.0.0.1", port, None)?;
    server.accept(SOON)?;
    Ok(())
}

/// An event that is always there does not hide one that comes.
fn hidden(_: u16) -> Result {
    let (loud, quiet) = (pair()?, pair()?);
    loud.left.1.write(b"x")?;
    check!(loud.right.0.wait(&Wanted::Any, SOON)?);
    quiet.left.1.write(b"y")?;
    let events = || {
        [
            Event::Readable((&loud.right.0, Wanted::Any)),
            Event::Readable((&quiet.right.0, Wanted::Any)),
        ]
    };
    let both = (0..10_000).any(|_| wait_any(&events(), SOON).is_ok_and(|ready| ready == [0, 1]));
    check!(both);
    Ok(())
}

/// Timeouts beyond the timers of hosts: those of Node end at 2^31 ms.
fn far_away(port: u16) -> Result {
    for timeout in [30 * 86_400 * SECOND, u64::MAX] {
        let (reader, writer) = peer(port, "silence")?;
        writer.write(b"go\n")?;
        same!(reader.readline(Some(timeout))?, b"went\n");
    }
    Ok(())
}
