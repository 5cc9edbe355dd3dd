//! A timeout of 0: no call waits, and each one returns what is there.

use crate::bindings::asyncio::streams::blocking::{
    self, Error, Event, ServerOptions, Wanted, Watch, start_server, wait_any,
};
use crate::checks::{
    NOW, Result, SECOND, SOON, check, clog, list, matching, pair, same, serve, timed,
};

list![
    nothing_there: Alone,
    something_there: Slow,
    many_watches: Slow,
    closed_connections: Slow
];

fn nothing_there(_: u16) -> Result {
    let (done, took) = timed(|| {
        let pair = pair()?;
        let (reader, writer) = &pair.left;
        let separators = [b";".to_vec()];
        matching!(reader.read(Some(1), NOW), Err(Error::Cancelled));
        matching!(reader.read(None, NOW), Err(Error::Cancelled));
        matching!(reader.readline(NOW), Err(Error::Cancelled));
        matching!(reader.readexactly(1, NOW), Err(Error::Cancelled));
        matching!(reader.readuntil(&separators, NOW), Err(Error::Cancelled));
        matching!(reader.readlines(10, NOW), Err(Error::Cancelled));
        check!(!reader.wait(&Wanted::Any, NOW)?);
        matching!(writer.wait_closed(NOW), Err(Error::Cancelled));
        let (server, _) = serve(&ServerOptions::new())?;
        matching!(server.accept(NOW), Err(Error::Cancelled));
        check!(!server.wait_connection(NOW)?);
        matching!(server.wait_closed(NOW), Err(Error::Cancelled));
        check!(server.try_accept()?.is_none());
        let events = [
            Event::Readable((reader, Wanted::Any)),
            Event::Connection(&server),
        ];
        same!(wait_any(&events, NOW)?, Vec::<u32>::new());
        clog(writer)?;
        matching!(writer.flush(NOW), Err(Error::Cancelled));
        matching!(writer.drain(NOW), Err(Error::Cancelled));
        // The bytes are queued nevertheless.
        let queued = writer.write_buffer_size();
        matching!(writer.send(b"more", NOW), Err(Error::Cancelled));
        check!(writer.write_buffer_size() > 0 && writer.write_buffer_size() <= queued + 4);
        writer.abort();
        Ok(())
    });
    // Less than the close deadline, the shortest time for which these calls could wait.
    check!(took < 30 * SECOND);
    done
}

fn something_there(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    // A call that does not wait sends, receives and accepts what it can. Loopback needs no time.
    for n in 0..100 {
        writer.write(format!("{n}\n").as_bytes())?;
        writer.flush(NOW)?;
        check!(reader.wait(&Wanted::Line, SOON)?);
        same!(reader.readline(NOW)?, format!("{n}\n").into_bytes());
    }
    writer.drain(NOW)?;
    writer.send(b"rest", NOW)?;
    writer.close();
    writer.wait_closed(SOON)?;
    same!(reader.read(None, SOON)?, b"rest");
    same!(reader.read(None, NOW)?, b"");
    // An address needs no look-up, and so no time.
    let (server, port) = {
        let server = start_server(&["127.0.0.1".into()], 0, None, NOW)?;
        let port = crate::checks::port_of(&server)?;
        (server, port)
    };
    let _client = blocking::open_connection("127.0.0.1", port, None)?;
    check!(server.wait_connection(SOON)?);
    server.accept(NOW)?;
    Ok(())
}

/// Thousands of watches, in which the same reader stands again and again.
fn many_watches(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    let mut watches = Vec::new();
    for key in 0..3_000 {
        let watch = Watch::new();
        watch.add(&Event::Readable((reader, Wanted::Line)), key)?;
        watches.push(watch);
    }
    for watch in &watches {
        same!(watch.wait(NOW)?, Vec::<u32>::new());
    }
    writer.write(b"line\n")?;
    check!(reader.wait(&Wanted::Line, SOON)?);
    for (watch, key) in watches.iter().zip(0..) {
        same!(watch.wait(NOW)?, vec![key]);
    }
    // A reader in a list twice is a mistake, which is told and harms nothing.
    watches[0].add(&Event::Readable((reader, Wanted::Any)), 5_000)?;
    matching!(watches[0].wait(NOW), Ok(_) | Err(Error::Busy));
    drop(watches);
    same!(reader.readline(NOW)?, b"line\n");
    Ok(())
}

/// Waits for connections that have ended return at once, and the call reports the end.
fn closed_connections(_: u16) -> Result {
    let (closed, aborted) = (pair()?, pair()?);
    let watch = Watch::new();
    let all = [&closed, &aborted];
    for (pair, first) in all.iter().zip([0, 10]) {
        watch.add(&Event::Readable((&pair.left.0, Wanted::Line)), first)?;
        watch.add(&Event::Drained(&pair.left.1), first + 1)?;
        watch.add(&Event::Flushed(&pair.left.1), first + 2)?;
        watch.add(&Event::Closed(&pair.left.1), first + 3)?;
    }
    same!(watch.wait(NOW)?, vec![1, 2, 11, 12]);
    closed.left.1.close();
    closed.left.1.wait_closed(SOON)?;
    aborted.left.1.abort();
    let everything = vec![0, 1, 2, 3, 10, 11, 12, 13];
    same!(watch.wait(None)?, everything);
    same!(watch.wait(NOW)?, everything);
    for pair in all {
        matching!(pair.left.0.readline(NOW), Err(Error::Closed));
    }
    Ok(())
}
