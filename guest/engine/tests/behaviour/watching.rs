//! The watch: events that are reported as long as they are there, and calls that are dropped at any turn.

use std::future::poll_fn;
use std::pin::pin;

use asyncio_streams_engine::{ServerOptions, Wanted, Watch};

use crate::support::*;

#[test]
fn an_event_is_reported_as_long_as_it_is_there() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        waits.add(7, reader.raw().readable(Wanted::Line));
        {
            let mut waiting = pin!(waits.wait().unwrap());
            lab.pending(waiting.as_mut());
            assert_eq!(reader.try_read(1), Err(Error::Busy));
            peer.write(b"line\n").await.unwrap();
            assert_eq!(waiting.await.unwrap(), [7]);
        }
        // The state counts, not the change.
        assert_eq!(waits.wait().unwrap().await.unwrap(), [7]);
        assert_eq!(reader.try_read(9).unwrap().unwrap(), b"line\n");
        lab.pending(pin!(waits.wait().unwrap()));
        peer.write(b"again\n").await.unwrap();
        assert_eq!(waits.wait().unwrap().await.unwrap(), [7]);
        assert_eq!(waits.remove(7), Some(Ok(())));
        assert_eq!(waits.remove(7), None);
        lab.pending(pin!(waits.wait().unwrap()));
    });
}

#[test]
fn a_wait_dropped_at_any_turn_loses_no_key() {
    run(|lab| async move {
        let mut connections = Vec::new();
        let waits = Watch::new(&lab.engine);
        for key in 0..3 {
            let (reader, writer, peer) = lab.peer().await;
            waits.add(key, reader.raw().readable(Wanted::Any));
            connections.push((reader, writer, peer, 0));
        }
        for round in 0..30 {
            for (_, _, peer, _) in &connections {
                peer.write(b"x").await.unwrap();
            }
            drop(interrupted(waits.wait().unwrap(), round % 7).await);
            while connections.iter().any(|(.., read)| *read <= round) {
                for key in waits.wait().unwrap().await.unwrap() {
                    let (reader, _, _, read) = &mut connections[key as usize];
                    *read += reader.try_read(100).unwrap().unwrap_or_default().len();
                }
            }
        }
    });
}

#[test]
fn a_key_that_is_replaced_or_removed_ends_its_wait() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        waits.add(1, reader.raw().readable(Wanted::Exactly(9)));
        lab.pending(pin!(waits.wait().unwrap()));
        assert_eq!(reader.try_read(1), Err(Error::Busy));
        waits.add(1, reader.raw().readable(Wanted::Any));
        assert_eq!(reader.try_read(1), Ok(None));
        lab.pending(pin!(waits.wait().unwrap()));
        assert_eq!(waits.remove(1), None);
        assert_eq!(reader.try_read(1), Ok(None));
        peer.write(b"x").await.unwrap();
        assert_eq!(reader.read(1).await.unwrap(), b"x");
        drop(waits);
    });
}

#[test]
fn one_wait_at_a_time_and_cancel_ends_it() {
    run(|lab| async move {
        let waits = Watch::new(&lab.engine);
        // Nothing is pending, so nothing is cancelled, and that is not remembered.
        waits.cancel();
        let mut waiting = pin!(waits.wait().unwrap());
        lab.pending(waiting.as_mut());
        assert!(matches!(waits.wait(), Err(Error::Busy)));
        waits.cancel();
        assert_eq!(waiting.as_mut().await, Err(Error::Cancelled));
    });
}

#[test]
fn ended_by_its_resource_it_is_reported_with_the_error() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        let place = waits.add(1, reader.raw().readable(Wanted::Any));
        let mut waiting = pin!(waits.wait().unwrap());
        lab.pending(waiting.as_mut());
        assert!(waits.has(place));
        waits.end(place, Error::Cancelled);
        drop(reader);
        assert_eq!(waiting.await.unwrap(), [1]);
        assert_eq!(waits.remove(1), Some(Err(Error::Cancelled)));
        assert!(!waits.has(place));
        // Its input is discarded.
        peer.write(&[0; 300_000]).await.unwrap();
        // One that has the key now is another member.
        let (reader, _writer, _peer) = lab.peer().await;
        waits.add(1, reader.raw().readable(Wanted::Any));
        waits.end(place, Error::Cancelled);
        lab.pending(pin!(waits.wait().unwrap()));
    });
}

#[test]
fn an_event_keeps_nothing_of_its_connection() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let mut events = [
            reader.raw().readable(Wanted::Any),
            writer.raw().drained(),
            writer.raw().flushed(),
            writer.raw().closed(),
        ];
        drop((reader, writer, peer));
        lab.quiet().await;
        for event in &mut events {
            event.begin();
            assert_eq!(poll_fn(|cx| event.poll(cx)).await, Err(Error::Closed));
        }
    });
}

#[test]
fn writers_and_servers_have_their_events() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        writer.write(&[0; 5_000_000]).unwrap();
        waits.add(1, writer.raw().drained());
        waits.add(2, writer.raw().flushed());
        waits.add(3, writer.raw().closed());
        lab.quiet().await;
        lab.pending(pin!(waits.wait().unwrap()));
        peer.read_exactly(5_000_000).await.unwrap();
        let mut over = Vec::new();
        while over.len() < 2 {
            for key in waits.wait().unwrap().await.unwrap() {
                assert_eq!(waits.remove(key), Some(Ok(())));
                over.push(key);
            }
        }
        over.sort_unstable();
        assert_eq!(over, [1, 2]);
        writer.abort();
        assert_eq!(waits.wait().unwrap().await.unwrap(), [3]);
        assert_eq!(waits.remove(3), Some(Err(Error::Closed)));

        let server = lab.serve(ServerOptions::default()).await;
        let there = Watch::new(&lab.other);
        there.add(1, server.raw().connection());
        let mut waiting = pin!(there.wait().unwrap());
        lab.pending(waiting.as_mut());
        let _client = lab.connect(server.port()).await;
        assert_eq!(waiting.await.unwrap(), [1]);
        assert!(server.try_accept().unwrap().is_some());
    });
}

#[test]
fn a_caller_that_never_waits_keeps_nothing() {
    run(|lab| async move {
        let (reader, _writer, _peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        for key in 0..100_000 {
            let place = waits.add(key, reader.raw().readable(Wanted::Any));
            if key % 2 == 0 {
                waits.end(place, Error::Cancelled);
                assert_eq!(waits.remove(key), Some(Err(Error::Cancelled)));
            } else {
                assert_eq!(waits.remove(key), None);
            }
        }
        assert_eq!(reader.try_read(1), Ok(None));
    });
}

/// The source of its input is with the wait, which is not polled.
#[test]
fn a_connection_closed_between_two_waits_discards_its_input() {
    run(|lab| async move {
        lab.network.set_reset_discards(true);
        let (reader, writer, peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        waits.add(1, reader.raw().readable(Wanted::Any));
        lab.pending(pin!(waits.wait().unwrap()));
        writer.write(b"all of it").unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        // No call waits on the watch any more.
        for _ in 0..10 {
            lab.network.sleep(SECOND).await;
            peer.write(&pattern(0, 200_000)).await.unwrap();
        }
        assert_eq!(peer.read_to_end().await.unwrap(), b"all of it");
        peer.end();
        lab.quiet().await;
        assert!(peer.other_side_is_gone());
        assert_eq!(waits.wait().unwrap().await.unwrap(), [1]);
        // A read would return at once, with the error.
        assert_eq!(waits.remove(1), Some(Ok(())));
        assert_eq!(reader.try_read(1), Err(Error::Closed));
    });
}

/// Its listeners are with the wait, which is not polled.
#[test]
fn a_server_closed_between_two_waits_listens_no_more() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let port = server.port();
        let waits = Watch::new(&lab.other);
        waits.add(1, server.raw().connection());
        lab.pending(pin!(waits.wait().unwrap()));
        server.close();
        lab.quiet().await;
        assert!(lab.open(port).await.is_err());
        assert_eq!(waits.wait().unwrap().await.unwrap(), [1]);
        assert_eq!(waits.remove(1), Some(Err(Error::Closed)));
    });
}

/// The cancelling is over when the next wait begins, which reports it all the same.
#[test]
fn a_member_cancelled_between_two_waits_is_reported() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let waits = Watch::new(&lab.engine);
        waits.add(1, reader.raw().readable(Wanted::Exactly(8)));
        lab.pending(pin!(waits.wait().unwrap()));
        peer.write(b"half").await.unwrap();
        reader.cancel();
        lab.quiet().await;
        assert_eq!(reader.readexactly(4).await.unwrap(), b"half");
        for _ in 0..2 {
            assert_eq!(waits.wait().unwrap().await.unwrap(), [1]);
        }
        assert_eq!(waits.remove(1), Some(Err(Error::Cancelled)));
        lab.pending(pin!(waits.wait().unwrap()));
    });
}
