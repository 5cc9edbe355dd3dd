//! The end of connections: close, abort, drop, deadlines, lingering.

use std::pin::pin;

use asyncio_streams_engine::ConnectOptions;
use asyncio_streams_engine::testing::{Faults, Peer};
use asyncio_streams_engine::{Request, Wanted};
use futures::join;

use crate::support::*;

/// More than both windows hold.
const MUCH: usize = 1 << 18;

#[test]
fn close_sends_the_queue_then_the_end() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.write(b"line\nrest").await.unwrap();
        reader.wait(Wanted::Exactly(9)).await.unwrap();
        writer.write(&pattern(0, MUCH)).unwrap();
        writer.close();
        writer.close();
        assert!(writer.is_closing());
        assert_eq!(writer.write(b"x"), Err(Error::Closed));
        assert_eq!(writer.write(b""), Err(Error::Closed));
        writer.write_eof().unwrap();
        let (closed, all) = join!(writer.wait_closed(), peer.read_to_end());
        closed.unwrap();
        let all = all.unwrap();
        assert_eq!(all.len(), MUCH);
        assert_pattern(0, &all);
        for _ in 0..2 {
            writer.wait_closed().await.unwrap();
            writer.drain().await.unwrap();
            writer.flush().await.unwrap();
            writer.abort();
            writer.write_eof().unwrap();
            assert_eq!(writer.write(b"x"), Err(Error::Closed));
        }
        // Buffered bytes come first, then `closed`, and never the end.
        assert_eq!(reader.exception(), Some(Error::Closed));
        assert_eq!(reader.readline().await.unwrap(), b"line\n");
        assert_eq!(reader.readline().await, Err(Error::Closed));
        assert_eq!(reader.read(9).await.unwrap(), b"rest");
        assert_eq!(reader.read(9).await, Err(Error::Closed));
        assert!(!reader.at_eof());
    });
}

#[test]
fn close_ends_a_pending_read() {
    run(|lab| async move {
        let (reader, writer, _peer) = lab.peer().await;
        let close = async {
            lab.quiet().await;
            writer.close();
        };
        let (read, ()) = join!(reader.read(9), close);
        assert_eq!(read, Err(Error::Closed));
    });
}

/// A program may keep a read in a variable, and wait for something else.
#[test]
fn a_read_that_is_not_polled_keeps_no_closed_connection() {
    for abort in [false, true] {
        run(|lab| async move {
            let (reader, writer, peer) = lab.peer().await;
            let mut read = pin!(reader.readline());
            assert!(futures::poll!(&mut read).is_pending());
            lab.quiet().await;
            if abort {
                writer.abort();
                lab.quiet().await;
            } else {
                writer.close();
                // The peer sends more, and then its end.
                peer.write(&pattern(0, 1000)).await.unwrap();
                drop(peer);
                lab.quiet().await;
            }
            assert_eq!(lab.engine.handles_in_use(), 0);
            assert_eq!(read.await, Err(Error::Closed));
        });
    }
}

/// The same for a peer that neither reads nor closes.
#[test]
fn a_read_that_is_not_polled_does_not_prolong_lingering() {
    run(|lab| async move {
        let (reader, writer, _peer) = lab.peer().await;
        let mut read = pin!(reader.readline());
        assert!(futures::poll!(&mut read).is_pending());
        writer.close();
        lab.network.sleep(36 * SECOND).await;
        assert_eq!(lab.engine.handles_in_use(), 0);
        assert_eq!(read.await, Err(Error::Closed));
    });
}

#[test]
fn abort_drops_the_queue() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        writer.write(&pattern(0, 4 * MUCH)).unwrap();
        let abort = async {
            lab.quiet().await;
            writer.abort();
        };
        let (drain, flush, closed, read, ()) = join!(
            writer.drain(),
            writer.flush(),
            writer.wait_closed(),
            reader.read(1),
            abort
        );
        assert_eq!(
            (drain, flush, closed),
            (Err(Error::Closed), Err(Error::Closed), Err(Error::Closed))
        );
        assert_eq!(read, Err(Error::Closed));
        for _ in 0..2 {
            assert!(writer.is_closing());
            assert_eq!(writer.write_buffer_size(), 0);
            assert_eq!(writer.write(b"x"), Err(Error::Closed));
            assert_eq!(writer.write_eof(), Err(Error::Closed));
            assert_eq!(writer.drain().await, Err(Error::Closed));
            assert_eq!(writer.try_drain(), Err(Error::Closed));
            assert_eq!(writer.flush().await, Err(Error::Closed));
            assert_eq!(writer.wait_closed().await, Err(Error::Closed));
            assert_eq!(reader.read(1).await, Err(Error::Closed));
            writer.close();
        }
        let read = match peer.read_to_end().await {
            Ok(bytes) => bytes.len(),
            Err(_) => 0,
        };
        assert!(read < (4 * MUCH));
    });
}

#[test]
fn abort_frees_the_socket_at_once() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        peer.set_faults_in(Faults::black_hole());
        writer.write(&pattern(0, MUCH)).unwrap();
        lab.quiet().await;
        writer.abort();
        lab.quiet().await;
        assert!(peer.other_side_is_gone());
        assert_eq!(lab.engine.handles_in_use(), 0);
    });
}

#[test]
fn dropping_reader_and_writer_closes() {
    for reader_first in [true, false] {
        run(move |lab| async move {
            let (reader, writer, peer) = lab.peer().await;
            writer.write(&pattern(0, MUCH)).unwrap();
            if reader_first {
                drop(reader);
                lab.quiet().await;
                drop(writer);
            } else {
                drop(writer);
                lab.quiet().await;
                drop(reader);
            }
            let all = peer.read_to_end().await.unwrap();
            assert_eq!(all.len(), MUCH);
            assert_pattern(0, &all);
        });
    }
}

#[test]
fn dropped_reader_discards_and_the_writer_continues() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.write(b"before").await.unwrap();
        reader.wait(Wanted::Any).await.unwrap();
        drop(reader);
        peer.write(&pattern(0, 8 * MUCH)).await.unwrap();
        writer.write(b"still").unwrap();
        assert_eq!(peer.read_exactly(5).await.unwrap(), b"still");
        peer.end();
        lab.quiet().await;
        writer.write(b" here").unwrap();
        drop(writer);
        assert_eq!(peer.read_to_end().await.unwrap(), b" here");
        lab.quiet().await;
        assert!(peer.other_side_is_gone());
    });
}

#[test]
fn reset_is_noticed_after_the_reader_was_dropped() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        drop(reader);
        lab.quiet().await;
        peer.reset();
        assert_network(writer.wait_closed().await, NetworkCode::ConnectionReset);
        assert_network(writer.write(b"x"), NetworkCode::ConnectionReset);
    });
}

#[test]
fn writer_dropped_during_a_read_closes() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let mut line = pin!(reader.readline());
        lab.pending(line.as_mut());
        writer.write(&pattern(0, MUCH)).unwrap();
        drop(writer);
        assert_eq!(line.await, Err(Error::Closed));
        assert_pattern(0, &peer.read_to_end().await.unwrap());
    });
}

#[test]
fn read_in_flight_is_dropped_with_its_reader() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        {
            let mut line = pin!(reader.readline());
            lab.pending(line.as_mut());
        }
        drop(reader);
        drop(writer);
        assert_eq!(peer.read_to_end().await.unwrap(), b"");
        drop(peer);
    });
}

#[test]
fn close_deadline_aborts_a_close_to_a_peer_that_never_reads() {
    // From 5 s on, the deadline is checked four times a second.
    for (deadline, expected, late) in [
        (None, 30 * SECOND, 250 * MILLISECOND),
        (Some(3 * SECOND), 3 * SECOND, 0),
    ] {
        run(move |lab| async move {
            let mut options = ConnectOptions::default();
            if deadline.is_some() {
                options.set_close_deadline(deadline);
            }
            let (reader, writer, peer) = lab.peer_with(options).await;
            writer.write(&pattern(0, MUCH)).unwrap();
            lab.network.sleep(100 * SECOND).await;
            writer.close();
            let (closed, took) = lab.timed(writer.wait_closed()).await;
            assert_eq!(closed, Err(Error::DeadlineExceeded));
            let latest = expected + late + MILLISECOND;
            assert!((expected..latest).contains(&took), "{took}");
            assert_eq!(writer.drain().await, Err(Error::DeadlineExceeded));
            assert_eq!(writer.flush().await, Err(Error::DeadlineExceeded));
            assert_eq!(writer.write(b"x"), Err(Error::Closed));
            assert_eq!(reader.read(1).await, Err(Error::Closed));
            assert_eq!(writer.write_buffer_size(), 0);
            lab.quiet().await;
            assert!(peer.other_side_is_gone());
        });
    }
}

#[test]
fn close_without_a_deadline_waits_as_long_as_it_takes() {
    run(|lab| async move {
        let mut options = ConnectOptions::default();
        options.set_close_deadline(None);
        let (_reader, writer, peer) = lab.peer_with(options).await;
        writer.write(&pattern(0, MUCH)).unwrap();
        writer.close();
        let mut closed = pin!(writer.wait_closed());
        lab.waits_for(&mut closed, 5_000 * SECOND).await;
        let (closed, all) = join!(closed, peer.read_to_end());
        closed.unwrap();
        assert_pattern(0, &all.unwrap());
    });
}

#[test]
fn dropped_writer_has_a_close_deadline_too() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        writer.write(&pattern(0, MUCH)).unwrap();
        drop((reader, writer));
        lab.network.sleep(29 * SECOND).await;
        assert!(!peer.other_side_is_gone());
        lab.network.sleep(2 * SECOND).await;
        assert!(peer.other_side_is_gone());
        assert_eq!(lab.engine.bytes_held(), 0);
    });
}

/// Returns after how many milliseconds the other side has closed its socket, checked every 50.
async fn gone_after(lab: &Lab, peer: &Peer) -> u64 {
    let begun = lab.network.now();
    while !peer.other_side_is_gone() {
        lab.network.sleep(50 * MILLISECOND).await;
        assert!(lab.network.now() - begun < 100 * SECOND, "it stays");
    }
    (lab.network.now() - begun) / MILLISECOND
}

#[test]
fn closed_connection_lingers_until_the_peers_end() {
    run(|lab| async move {
        lab.network.set_reset_discards(true);
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"all of it").unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        for _ in 0..10 {
            lab.network.sleep(SECOND).await;
            // Without lingering, the system would answer this with a reset.
            peer.write(&pattern(0, 200_000)).await.unwrap();
        }
        assert_eq!(peer.read_to_end().await.unwrap(), b"all of it");
        peer.end();
        lab.quiet().await;
        assert!(peer.other_side_is_gone());
    });
}

#[test]
fn lingering_ends_after_silence() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"x").unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        let gone = gone_after(&lab, &peer).await;
        assert!((5_000..5_600).contains(&gone), "{gone} ms");
    });
}

#[test]
fn lingering_is_shorter_after_an_answer() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        writer.write(b"question").unwrap();
        writer.flush().await.unwrap();
        peer.write(b"answer").await.unwrap();
        reader.readexactly(6).await.unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        let gone = gone_after(&lab, &peer).await;
        assert!((1_000..1_600).contains(&gone), "{gone} ms");
    });
}

/// The close comes while input is already being discarded.
#[test]
fn lingering_ends_after_silence_when_the_reader_was_dropped_before() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        drop(reader);
        lab.network.sleep(SECOND).await;
        writer.write(b"x").unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        let gone = gone_after(&lab, &peer).await;
        assert!((5_000..5_600).contains(&gone), "{gone} ms");
    });
}

#[test]
fn lingering_has_a_total_bound() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"x").unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        let begun = lab.network.now();
        while !peer.other_side_is_gone() {
            peer.try_write(b"chatter");
            lab.network.sleep(500 * MILLISECOND).await;
        }
        let gone = (lab.network.now() - begun) / MILLISECOND;
        assert!((30_000..31_100).contains(&gone), "{gone} ms");
    });
}

#[test]
fn lingering_discards_without_holding_bytes() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        drop((reader, writer));
        peer.write(&pattern(0, 3 * MUCH)).await.unwrap();
        assert_eq!(lab.engine.bytes_held(), 0);
        peer.end();
        lab.quiet().await;
        assert_eq!(lab.engine.handles_in_use(), 0);
    });
}

#[test]
fn linger_waits_for_all_closed_connections() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let (_other_reader, other_writer, other_peer) = lab.peer().await;
        let ((), took) = lab.timed(lab.engine.linger()).await;
        assert_eq!(took, 0, "nothing was closed");
        writer.write(b"x").unwrap();
        other_writer.write(b"x").unwrap();
        drop((reader, writer));
        other_writer.close();
        other_writer.wait_closed().await.unwrap();
        lab.quiet().await;
        let ends = async {
            lab.network.sleep(SECOND).await;
            peer.end();
            lab.network.sleep(SECOND).await;
            other_peer.end();
        };
        let (((), took), ()) = join!(lab.timed(lab.engine.linger()), ends);
        assert!(
            (2 * SECOND..2 * SECOND + 300 * MILLISECOND).contains(&took),
            "{took}"
        );
    });
}

#[test]
fn linger_is_bounded_and_can_be_dropped() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"x").unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        {
            let mut dropped = pin!(lab.engine.linger());
            lab.pending(dropped.as_mut());
        }
        let ((), took) = lab.timed(lab.engine.linger()).await;
        assert!((5 * SECOND..6 * SECOND).contains(&took), "{took}");
        drop(peer);
    });
}

#[test]
fn linger_does_not_wait_for_open_or_unused_connections() {
    run(|lab| async move {
        let (_reader, writer, _peer) = lab.peer().await;
        writer.write(b"open").unwrap();
        let (_unused_reader, unused, _unused_peer) = lab.peer().await;
        unused.close();
        unused.wait_closed().await.unwrap();
        let ((), took) = lab.timed(lab.engine.linger()).await;
        assert_eq!(took, 0);
    });
}

#[test]
fn nothing_lingers_after_an_abort() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"x").unwrap();
        writer.flush().await.unwrap();
        writer.abort();
        lab.quiet().await;
        assert!(peer.other_side_is_gone());
        let ((), took) = lab.timed(lab.engine.linger()).await;
        assert_eq!(took, 0);
    });
}

#[test]
fn wait_closed_does_not_wait_for_lingering() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"x").unwrap();
        writer.close();
        let (closed, took) = lab.timed(writer.wait_closed()).await;
        closed.unwrap();
        assert_eq!(took, 0);
        assert!(!peer.other_side_is_gone());
        assert!(
            lab.engine.handles_in_use() > 0,
            "the lingering connection counts"
        );
    });
}

#[test]
fn wait_closed_reports_a_loss_found_by_a_read() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let mut closed = pin!(writer.wait_closed());
        lab.pending(closed.as_mut());
        peer.reset();
        lab.network.sleep(SECOND).await;
        lab.pending(closed.as_mut());
        assert_network(reader.read(1).await, NetworkCode::ConnectionReset);
        assert_network(closed.await, NetworkCode::ConnectionReset);
    });
}

#[test]
fn peer_that_closes_first_frees_at_once() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        drop(peer);
        assert_eq!(reader.read(1).await.unwrap(), b"");
        drop(reader);
        drop(writer);
        lab.quiet().await;
        assert_eq!(lab.engine.handles_in_use(), 0);
    });
}

#[test]
fn both_sides_may_close_with_bytes_in_transit() {
    run(|lab| async move {
        lab.network.set_reset_discards(true);
        let ((reader, writer), (their_reader, their_writer)) = lab.pair().await;
        writer.write(&pattern(0, 100_000)).unwrap();
        their_writer.write(&pattern(7, 100_000)).unwrap();
        writer.close();
        let got = their_reader.read_to_end().await.unwrap();
        assert_eq!(got.len(), 100_000);
        assert_pattern(0, &got);
        assert_eq!(reader.read(1).await, Err(Error::Closed));
        drop((their_reader, their_writer));
    });
}

#[test]
fn read_of_zero_bytes_succeeds_after_close() {
    run(|lab| async move {
        let (reader, writer, _peer) = lab.peer().await;
        writer.close();
        assert_eq!(reader.request(Request::Read(0)).await.unwrap(), b"");
        assert_eq!(reader.request(Request::Readexactly(0)).await.unwrap(), b"");
    });
}
