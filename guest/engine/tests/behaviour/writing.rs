//! Writes: the queue, its marks, flushing, and the end of the output.

use std::pin::pin;

use asyncio_streams_engine::testing::Faults;
use asyncio_streams_engine::{ConnectOptions, Wait};
use futures::join;

use crate::support::*;

/// More than both windows hold.
const MUCH: usize = 1 << 18;

#[test]
fn writes_of_a_turn_are_sent_together() {
    run_in_order(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"one ").unwrap();
        writer.writelines(&[b"two ", b"", b"three"]).unwrap();
        assert_eq!(writer.write_buffer_size(), 13);
        assert_eq!(peer.read(100).await.unwrap(), b"one two three");
        assert_eq!(writer.write_buffer_size(), 0);
    });
}

#[test]
fn write_never_waits_and_everything_arrives() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        for start in (0..MUCH).step_by(1 << 16) {
            writer.write(&pattern(start, 1 << 16)).unwrap();
        }
        assert_pattern(0, &peer.read_exactly(MUCH).await.unwrap());
        lab.quiet().await;
        assert_eq!(writer.write_buffer_size(), 0);
    });
}

#[test]
fn writes_are_sent_without_a_pending_call() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"hello").unwrap();
        lab.network.sleep(1).await;
        lab.quiet().await;
        assert_eq!(peer.arrived(), 5);
    });
}

#[test]
fn empty_write_is_ok_and_sends_nothing() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"").unwrap();
        writer.writelines(&[]).unwrap();
        writer.writelines(&[b"", b""]).unwrap();
        writer.flush().await.unwrap();
        writer.drain().await.unwrap();
        lab.quiet().await;
        assert_eq!(peer.arrived(), 0);
    });
}

#[test]
fn drain_waits_between_the_marks() {
    run(|lab| async move {
        lab.network.set_windows(1000, 1000);
        let (_reader, writer, peer) = lab.peer().await;
        assert_eq!(writer.write_buffer_limits(), (16_384, 65_536));
        assert!(writer.set_limits(Some(10_000), Some(5_000)));
        writer.write(&pattern(0, 10_000)).unwrap();
        writer.drain().await.unwrap();
        writer.write(&pattern(10_000, 5_000)).unwrap();
        lab.quiet().await;
        // The windows have taken 2,000 bytes.
        assert_eq!(writer.write_buffer_size(), 13_000);
        assert!(!writer.try_drain().unwrap());
        {
            let mut drain = pin!(writer.drain());
            lab.pending(drain.as_mut());
            peer.read_exactly(7_000).await.unwrap();
            lab.quiet().await;
            assert_eq!(writer.write_buffer_size(), 6_000);
            lab.pending(drain.as_mut());
            peer.read_exactly(1_000).await.unwrap();
            drain.await.unwrap();
        }
        assert!(writer.try_drain().unwrap());
        peer.read_exactly(7_000).await.unwrap();
    });
}

#[test]
fn marks_follow_asyncios_rules() {
    run(|lab| async move {
        let (_reader, writer, _peer) = lab.peer().await;
        for (high, low, limits) in [
            (None, None, (16_384, 65_536)),
            (Some(100), None, (25, 100)),
            (None, Some(100), (100, 400)),
            (Some(0), None, (0, 0)),
            (Some(7), Some(7), (7, 7)),
        ] {
            assert!(writer.set_limits(high, low));
            assert_eq!(writer.write_buffer_limits(), limits);
        }
        assert!(!writer.set_limits(Some(5), Some(6)));
        assert_eq!(writer.write_buffer_limits(), (7, 7));
    });
}

#[test]
fn flush_waits_for_earlier_writes() {
    run(|lab| async move {
        lab.network.set_windows(1000, 1000);
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(&pattern(0, 3_000)).unwrap();
        let mut flush = pin!(writer.flush());
        lab.pending(flush.as_mut());
        writer.write(&pattern(3_000, 3_000)).unwrap();
        lab.quiet().await;
        lab.pending(flush.as_mut());
        assert_pattern(0, &peer.read_exactly(1_000).await.unwrap());
        flush.await.unwrap();
        assert!(writer.write_buffer_size() > 0);
        assert_pattern(1_000, &peer.read_exactly(5_000).await.unwrap());
    });
}

#[test]
fn waits_are_independent() {
    run(|lab| async move {
        lab.network.set_windows(1000, 1000);
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(&pattern(0, 200_000)).unwrap();
        lab.quiet().await;
        let (mut one, mut two) = (pin!(writer.drain()), pin!(writer.drain()));
        let mut flush = pin!(writer.flush());
        lab.pending(one.as_mut());
        lab.pending(two.as_mut());
        lab.pending(flush.as_mut());
        {
            let mut dropped = pin!(writer.drain());
            lab.pending(dropped.as_mut());
            let mut dropped = pin!(writer.flush());
            lab.pending(dropped.as_mut());
        }
        let (one, two, flush, bytes) = join!(one, two, flush, peer.read_exactly(200_000));
        assert_eq!((one, two, flush), (Ok(()), Ok(()), Ok(())));
        assert_pattern(0, &bytes.unwrap());
    });
}

#[test]
fn cancel_ends_the_waits_of_one_kind_and_drops_no_bytes() {
    run(|lab| async move {
        lab.network.set_windows(1000, 1000);
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(&pattern(0, 200_000)).unwrap();
        let cancel = async {
            lab.quiet().await;
            writer.cancel(Wait::Drain);
            lab.quiet().await;
            writer.cancel(Wait::Flush);
            lab.quiet().await;
            writer.cancel(Wait::Closed);
        };
        let turns = |wait: Result<(), Error>| (wait, lab.network.now());
        let (one, two, flush, closed, ()) = join!(
            async { turns(writer.drain().await) },
            async { turns(writer.drain().await) },
            async { turns(writer.flush().await) },
            async { turns(writer.wait_closed().await) },
            cancel
        );
        for wait in [&one, &two, &flush, &closed] {
            assert_eq!(wait.0, Err(Error::Cancelled));
        }
        assert_eq!(one.1, two.1);
        assert!(one.1 < flush.1 && flush.1 < closed.1);
        assert_pattern(0, &peer.read_exactly(200_000).await.unwrap());
        writer.flush().await.unwrap();
    });
}

#[test]
fn cancel_without_a_wait_has_no_effect() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        for wait in [Wait::Drain, Wait::Flush, Wait::Closed, Wait::WriteStream] {
            writer.cancel(wait);
        }
        writer.write(b"x").unwrap();
        writer.flush().await.unwrap();
        writer.drain().await.unwrap();
        peer.read_exactly(1).await.unwrap();
    });
}

#[test]
fn queue_has_a_bound_and_takes_all_or_nothing() {
    run(|lab| async move {
        lab.network.set_windows(1000, 1000);
        let mut options = ConnectOptions::default();
        options.set_max_queued(10_000).unwrap();
        let (_reader, writer, peer) = lab.peer_with(options).await;
        writer.write(&pattern(0, 10_000)).unwrap();
        assert_eq!(writer.write(b"x"), Err(Error::BufferFull));
        assert_eq!(writer.writelines(&[b"", b"x"]), Err(Error::BufferFull));
        writer.write(b"").unwrap();
        lab.quiet().await;
        let room = 10_000 - writer.write_buffer_size();
        assert_eq!(room, 2_000);
        assert_eq!(
            writer.write(&pattern(10_000, room + 1)),
            Err(Error::BufferFull)
        );
        writer.write(&pattern(10_000, room)).unwrap();
        assert_pattern(0, &peer.read_exactly(12_000).await.unwrap());
    });
}

#[test]
fn write_eof_ends_one_direction() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        assert!(writer.can_write_eof());
        writer.write(&pattern(0, MUCH)).unwrap();
        writer.write_eof().unwrap();
        writer.write_eof().unwrap();
        assert_eq!(writer.write(b"x"), Err(Error::WriteAfterEof));
        assert_eq!(writer.write(b""), Err(Error::WriteAfterEof));
        assert_eq!(writer.writelines(&[b"x"]), Err(Error::WriteAfterEof));
        assert!(!writer.is_closing());
        let all = peer.read_to_end().await.unwrap();
        assert_eq!(all.len(), MUCH);
        assert_pattern(0, &all);
        writer.flush().await.unwrap();
        writer.drain().await.unwrap();
        peer.write(b"answer").await.unwrap();
        peer.end();
        assert_eq!(reader.read_to_end().await.unwrap(), b"answer");
        {
            let mut closed = pin!(writer.wait_closed());
            lab.pending(closed.as_mut());
        }
        writer.close();
        writer.wait_closed().await.unwrap();
    });
}

#[test]
fn loss_is_noticed_while_writing() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.write(b"said before").await.unwrap();
        lab.quiet().await;
        peer.reset();
        lab.quiet().await;
        writer.write(&pattern(0, 10)).unwrap();
        assert_lost(writer.flush().await);
        let loss = writer.write(b"x").unwrap_err();
        assert_eq!(writer.drain().await, Err(loss.clone()));
        assert_eq!(writer.wait_closed().await, Err(loss.clone()));
        assert_eq!(writer.write_eof(), Err(loss.clone()));
        assert_eq!(writer.try_drain(), Err(loss.clone()));
        assert_eq!(writer.write_buffer_size(), 0);
        // Bytes that had arrived can still be read. Then reads return the same error, and not the end.
        assert_eq!(reader.readexactly(11).await.unwrap(), b"said before");
        assert_eq!(reader.read(9).await, Err(loss.clone()));
        assert!(!reader.at_eof());
        assert_eq!(reader.exception(), Some(loss));
    });
}

#[test]
fn reset_ends_waits_of_the_writer() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(&pattern(0, MUCH)).unwrap();
        let reset = async {
            lab.quiet().await;
            peer.reset();
        };
        let (drain, flush, closed, ()) =
            join!(writer.drain(), writer.flush(), writer.wait_closed(), reset);
        assert_network(drain, NetworkCode::ConnectionReset);
        assert_network(flush, NetworkCode::ConnectionReset);
        assert_network(closed, NetworkCode::ConnectionReset);
    });
}

#[test]
fn peer_that_closes_with_unread_input_resets() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        writer.write(b"never read").unwrap();
        lab.quiet().await;
        drop(peer);
        assert_network(reader.read(1).await, NetworkCode::ConnectionReset);
        assert_network(writer.write(b"x"), NetworkCode::ConnectionReset);
    });
}

#[test]
fn closed_peer_resets_later_writes() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        drop(peer);
        assert_eq!(reader.read(1).await.unwrap(), b"");
        writer.write(b"too late").unwrap();
        lab.quiet().await;
        // TCP loses the first write without an error.
        let _ = writer.write(b"much too late");
        assert_lost(writer.flush().await);
    });
}

#[test]
fn all_bytes_arrive_over_bad_networks() {
    for faults in [Faults::byte_by_byte(), Faults::slow(7, MILLISECOND)] {
        run(move |lab| {
            let faults = faults.clone();
            async move {
                lab.network.set_faults(faults.clone(), faults);
                let ((reader, writer), (their_reader, their_writer)) = lab.pair().await;
                writer.write(&pattern(0, 5_000)).unwrap();
                writer.write_eof().unwrap();
                their_writer.write(&pattern(100, 5_000)).unwrap();
                their_writer.write_eof().unwrap();
                let (ours, theirs) = join!(reader.read_to_end(), their_reader.read_to_end());
                assert_eq!(
                    (ours.as_ref().unwrap().len(), theirs.as_ref().unwrap().len()),
                    (5_000, 5_000)
                );
                assert_pattern(100, &ours.unwrap());
                assert_pattern(0, &theirs.unwrap());
            }
        });
    }
}

#[test]
fn names_of_both_ends_stay_known() {
    run(|lab| async move {
        let ((_reader, writer), (_their_reader, their_writer)) = lab.pair().await;
        assert_eq!(writer.peername(), their_writer.sockname());
        assert_eq!(writer.sockname(), their_writer.peername());
        writer.abort();
        lab.network.sleep(SECOND).await;
        assert_eq!(writer.peername(), their_writer.sockname());
    });
}
