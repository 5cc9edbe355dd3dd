//! `watch`: a standing list of events.

use crate::bindings::asyncio::streams::blocking::{
    Error, Event, Reader, ServerOptions, Wanted, Watch, Writer, open_connection,
};
use crate::checks::{BRIEFLY, NOW, Result, SOON, check, list, matching, pair, same, serve};

list![keys, dropped_readers, thousands: Alone, serves];

fn keys(_: u16) -> Result {
    let (one, two) = (pair()?, pair()?);
    let watch = Watch::new();
    matching!(watch.wait(None), Err(Error::InvalidArgument(_)));
    same!(watch.wait(NOW)?, Vec::<u32>::new());
    watch.add(&Event::Readable((&one.left.0, Wanted::Any)), 9)?;
    watch.add(&Event::Readable((&two.left.0, Wanted::Exactly(2))), 4)?;
    let refused = watch.add(
        &Event::Readable((&two.left.0, Wanted::Until(Vec::new()))),
        4,
    );
    matching!(refused, Err(Error::InvalidArgument(_)));
    same!(watch.wait(BRIEFLY)?, Vec::<u32>::new());
    one.right.1.write(b"a")?;
    two.right.1.write(b"b")?;
    same!(watch.wait(SOON)?, vec![9]);
    two.right.1.write(b"c")?;
    check!(two.left.0.wait(&Wanted::Exactly(2), SOON)?);
    same!(watch.wait(SOON)?, vec![4, 9]);
    check!(watch.remove(9));
    check!(!watch.remove(9));
    same!(watch.wait(SOON)?, vec![4]);
    // Another event under the same key.
    watch.add(&Event::Drained(&one.left.1), 4)?;
    same!(watch.wait(SOON)?, vec![4]);
    watch.add(&Event::Drained(&two.left.1), 5)?;
    same!(watch.wait(SOON)?, vec![4, 5]);
    Ok(())
}

fn dropped_readers(_: u16) -> Result {
    let watch = Watch::new();
    {
        let pair = pair()?;
        watch.add(&Event::Readable((&pair.left.0, Wanted::Any)), 1)?;
        watch.add(&Event::Closed(&pair.left.1), 2)?;
    }
    same!(watch.wait(BRIEFLY)?, Vec::<u32>::new());
    matching!(watch.wait(None), Err(Error::InvalidArgument(_)));
    Ok(())
}

/// Two thousand connections within one program, both ends of each.
fn thousands(_: u16) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    let watch = Watch::new();
    let mut ends: Vec<((Reader, Writer), (Reader, Writer))> = Vec::new();
    for key in 0..2_000 {
        let ours = open_connection("127.0.0.1", port, None)?;
        let theirs = server.accept(SOON)?;
        watch.add(&Event::Readable((&theirs.0, Wanted::Line)), key)?;
        ends.push((ours, theirs));
    }
    same!(watch.wait(NOW)?, Vec::<u32>::new());
    for key in [0, 777, 1_999] {
        ends[key].0.1.write(b"one ")?;
        same!(watch.wait(BRIEFLY)?, Vec::<u32>::new());
        ends[key].0.1.write(b"line\n")?;
        same!(watch.wait(SOON)?, vec![u32::try_from(key).unwrap_or(0)]);
        same!(ends[key].1.0.try_readline()?, Some(b"one line\n".to_vec()));
    }
    for (ours, _) in &ends {
        ours.1.write(b"all\n")?;
    }
    let mut read = 0;
    while read < ends.len() {
        for key in watch.wait(SOON)? {
            let key = usize::try_from(key).unwrap_or(0);
            same!(ends[key].1.0.try_readline()?, Some(b"all\n".to_vec()));
            read += 1;
        }
    }
    Ok(())
}

/// A server of echoes in one loop.
fn serves(_: u16) -> Result {
    const SERVER: u32 = u32::MAX;
    let (server, port) = serve(&ServerOptions::new())?;
    let watch = Watch::new();
    watch.add(&Event::Connection(&server), SERVER)?;
    let clients: Vec<_> = (0..20)
        .map(|_| open_connection("127.0.0.1", port, None))
        .collect::<std::result::Result<_, _>>()?;
    for (n, (_, writer)) in clients.iter().enumerate() {
        writer.write(format!("{n}\n").as_bytes())?;
        writer.write_eof()?;
    }
    let mut connections: Vec<Option<(Reader, Writer)>> = Vec::new();
    let mut ended = 0;
    while ended < clients.len() {
        for key in watch.wait(SOON)? {
            if key == SERVER {
                while let Some(connection) = server.try_accept()? {
                    let key = u32::try_from(connections.len()).unwrap_or(SERVER);
                    watch.add(&Event::Readable((&connection.0, Wanted::Any)), key)?;
                    connections.push(Some(connection));
                }
                continue;
            }
            let place = usize::try_from(key).unwrap_or(0);
            let Some((reader, writer)) = &connections[place] else {
                return Err("a key of a connection that is gone".into());
            };
            match reader.try_read(1_000)? {
                Some(bytes) if bytes.is_empty() => {
                    // The drop sends the rest and the end.
                    connections[place] = None;
                    ended += 1;
                }
                Some(bytes) => writer.write(&bytes)?,
                None => {}
            }
        }
    }
    for (n, (reader, _)) in clients.iter().enumerate() {
        same!(reader.read(None, SOON)?, format!("{n}\n").into_bytes());
    }
    Ok(())
}
