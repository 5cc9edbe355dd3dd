//! Reads: every kind, their limits, cancelling, dropping, `busy`.

use std::pin::pin;

use asyncio_streams_engine::{ConnectOptions, Request, Wanted};
use futures::join;

use crate::support::*;

fn error<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    result.expect_err("a failure")
}

#[test]
fn every_kind_of_read_takes_its_part() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"one\ntwo\r\nhead\r\n\r\nexact;four\nfive\nsix")
            .await
            .unwrap();
        assert_eq!(reader.read(0).await.unwrap(), b"");
        assert_eq!(reader.readline().await.unwrap(), b"one\n");
        assert_eq!(reader.readline().await.unwrap(), b"two\r\n");
        assert_eq!(
            reader.readuntil(&[b"\r\n\r\n"]).await.unwrap(),
            b"head\r\n\r\n"
        );
        assert_eq!(reader.readexactly(0).await.unwrap(), b"");
        assert_eq!(reader.readexactly(5).await.unwrap(), b"exact");
        assert_eq!(reader.readuntil(&[b"\n", b";"]).await.unwrap(), b";");
        reader.wait(Wanted::Exactly(13)).await.unwrap();
        assert_eq!(reader.readlines(100).await.unwrap(), b"four\nfive\n");
        assert_eq!(reader.discard(1).unwrap(), 1);
        assert_eq!(reader.read(100).await.unwrap(), b"ix");
        assert_eq!(
            (reader.buffered(), reader.peek(1), reader.discard(1)),
            (0, Vec::new(), Ok(0))
        );
    });
}

#[test]
fn read_takes_buffered_bytes_up_to_its_size() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"abcdef").await.unwrap();
        reader.wait(Wanted::Exactly(6)).await.unwrap();
        assert_eq!(reader.read(4).await.unwrap(), b"abcd");
        assert_eq!(reader.read(4).await.unwrap(), b"ef");
    });
}

#[test]
fn read_to_end_returns_everything() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let sending = async {
            peer.write(&pattern(0, 300_000)).await.unwrap();
            peer.end();
        };
        let (all, ()) = join!(reader.read_to_end(), sending);
        let all = all.unwrap();
        assert_eq!(all.len(), 300_000);
        assert_pattern(0, &all);
        assert_eq!(reader.read_to_end().await.unwrap(), b"");
    });
}

#[test]
fn every_read_reports_the_end_of_the_stream() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.write(b"last").await.unwrap();
        peer.end();
        reader.wait(Wanted::End).await.unwrap();
        assert!(!reader.at_eof(), "something is buffered");
        assert_eq!(reader.readline().await.unwrap(), b"last");
        for _ in 0..2 {
            assert!(reader.at_eof());
            assert_eq!(reader.exception(), None);
            assert_eq!(reader.read(9).await.unwrap(), b"");
            assert_eq!(reader.readline().await.unwrap(), b"");
            assert_eq!(reader.readlines(9).await.unwrap(), b"");
            assert_eq!(reader.readexactly(0).await.unwrap(), b"");
            assert_eq!(error(reader.readexactly(2).await), incomplete(b"", Some(2)));
            assert_eq!(
                error(reader.readuntil(&[b"\n"]).await),
                incomplete(b"", None)
            );
            for wanted in [Wanted::Any, Wanted::Line, Wanted::Exactly(9), Wanted::End] {
                reader.wait(wanted).await.unwrap();
            }
        }
        // Writing still works after the peer's end.
        writer.write(b"still here").unwrap();
        assert_eq!(peer.read_exactly(10).await.unwrap(), b"still here");
    });
}

#[test]
fn incomplete_read_carries_the_rest_and_takes_it() {
    for until in [false, true] {
        run(move |lab| async move {
            let (reader, _writer, peer) = lab.peer().await;
            peer.write(b"part").await.unwrap();
            peer.end();
            if until {
                assert_eq!(
                    error(reader.readuntil(&[b"\n"]).await),
                    incomplete(b"part", None)
                );
            } else {
                assert_eq!(
                    error(reader.readexactly(9).await),
                    incomplete(b"part", Some(9))
                );
            }
            assert_eq!(reader.buffered(), 0);
            assert!(reader.at_eof());
        });
    }
}

#[test]
fn wait_takes_nothing() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"line\nmore").await.unwrap();
        reader.wait(Wanted::Line).await.unwrap();
        assert_eq!(
            reader.try_request(Request::Readline).unwrap().unwrap(),
            b"line\n"
        );
        assert_eq!(reader.try_request(Request::Readline).unwrap(), None);
        reader.wait(Wanted::Exactly(4)).await.unwrap();
        assert_eq!(reader.try_read(9).unwrap().unwrap(), b"more");
    });
}

#[test]
fn try_reads_do_not_take_input() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"there").await.unwrap();
        lab.network.sleep(SECOND).await;
        assert_eq!(reader.try_read(9).unwrap(), None);
        assert_eq!(reader.buffered(), 0);
        assert_eq!(reader.readexactly(5).await.unwrap(), b"there");
    });
}

#[test]
fn input_is_taken_only_while_a_read_waits() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"first\n").await.unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"first\n");
        let mut sent = 0;
        for _ in 0..100 {
            sent += peer.try_write(&[7; 10_000]);
            lab.quiet().await;
        }
        // Both windows are full, and the engine holds nothing.
        assert!(sent <= 2 * 65_536, "{sent}");
        assert_eq!(lab.engine.bytes_held(), 0);
        let mut read = 0;
        while read < sent {
            read += reader.read(1 << 20).await.unwrap().len();
        }
    });
}

#[test]
fn one_read_at_a_time() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"par").await.unwrap();
        reader.wait(Wanted::Exactly(3)).await.unwrap();
        {
            let mut line = pin!(reader.readline());
            lab.pending(line.as_mut());
            assert_eq!(reader.read(1).await, Err(Error::Busy));
            assert_eq!(reader.read(0).await, Err(Error::Busy));
            assert_eq!(reader.readline().await, Err(Error::Busy));
            assert_eq!(reader.readexactly(1).await, Err(Error::Busy));
            assert_eq!(reader.readuntil(&[b"a"]).await, Err(Error::Busy));
            assert_eq!(reader.read_to_end().await, Err(Error::Busy));
            assert_eq!(reader.wait(Wanted::Any).await, Err(Error::Busy));
            assert_eq!(reader.try_read(1), Err(Error::Busy));
            assert_eq!(reader.discard(1), Err(Error::Busy));
            assert_eq!(reader.give_away().err(), Some(Error::Busy));
            assert_eq!((reader.buffered(), reader.peek(9)), (3, b"par".to_vec()));
            assert!(!reader.at_eof());
            assert_eq!(reader.exception(), None);
            peer.write(b"t\n").await.unwrap();
            assert_eq!(line.await.unwrap(), b"part\n");
        }
        peer.write(b"more").await.unwrap();
        assert_eq!(reader.readexactly(4).await.unwrap(), b"more");
    });
}

#[test]
fn read_is_pending_from_the_call_on() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let request = Request::Read(9);
        let first = reader.raw().read(&request);
        assert_eq!(reader.read(1).await, Err(Error::Busy));
        peer.write(b"x").await.unwrap();
        assert_eq!(first.await.unwrap(), b"x");
    });
}

#[test]
fn dropped_reads_take_nothing() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        for piece in ["o", "ne", " and ", "two\n"] {
            {
                let mut line = pin!(reader.readline());
                lab.pending(line.as_mut());
                lab.quiet().await;
                lab.pending(line.as_mut());
            }
            {
                let mut exactly = pin!(reader.readexactly(100));
                lab.pending(exactly.as_mut());
            }
            {
                let mut end = pin!(reader.wait(Wanted::End));
                lab.pending(end.as_mut());
                peer.write(piece.as_bytes()).await.unwrap();
                lab.quiet().await;
                lab.pending(end.as_mut());
            }
        }
        assert_eq!(reader.readline().await.unwrap(), b"one and two\n");
    });
}

#[test]
fn read_dropped_before_its_first_poll_is_not_busy() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let request = Request::Read(9);
        drop(reader.raw().read(&request));
        peer.write(b"x").await.unwrap();
        assert_eq!(reader.read(9).await.unwrap(), b"x");
    });
}

#[test]
fn cancel_ends_the_pending_read() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        for _ in 0..3 {
            let cancel = async {
                lab.quiet().await;
                reader.cancel();
            };
            let (read, ()) = join!(reader.readline(), cancel);
            assert_eq!(read, Err(Error::Cancelled));
            peer.write(b"x").await.unwrap();
        }
        peer.write(b"\n").await.unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"xxx\n");
    });
}

#[test]
fn cancel_without_a_read_is_not_remembered() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        reader.cancel();
        peer.write(b"x").await.unwrap();
        assert_eq!(reader.read(9).await.unwrap(), b"x");
        {
            let mut read = pin!(reader.read(9));
            lab.pending(read.as_mut());
            reader.cancel();
        }
        peer.write(b"y").await.unwrap();
        assert_eq!(reader.read(9).await.unwrap(), b"y");
    });
}

#[test]
fn cancel_before_the_first_poll_ends_the_read() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let request = Request::Read(9);
        let read = reader.raw().read(&request);
        reader.cancel();
        assert_eq!(read.await, Err(Error::Cancelled));
        peer.write(b"y").await.unwrap();
        assert_eq!(reader.read(9).await.unwrap(), b"y");
    });
}

#[test]
fn cancelled_wait_takes_nothing() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"half").await.unwrap();
        let cancel = async {
            lab.quiet().await;
            reader.cancel();
        };
        let (waited, ()) = join!(reader.wait(Wanted::Line), cancel);
        assert_eq!(waited, Err(Error::Cancelled));
        peer.write(b" line\n").await.unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"half line\n");
    });
}

#[test]
fn reset_comes_after_buffered_bytes() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.write(b"line\nrest").await.unwrap();
        reader.wait(Wanted::Exactly(9)).await.unwrap();
        peer.reset();
        let mut more = pin!(reader.wait(Wanted::Exactly(10)));
        more.as_mut().await.unwrap();
        assert!(is_network(
            &reader.exception().unwrap(),
            NetworkCode::ConnectionReset
        ));
        assert_eq!(reader.readline().await.unwrap(), b"line\n");
        assert_network(reader.readline().await, NetworkCode::ConnectionReset);
        assert_network(reader.readexactly(5).await, NetworkCode::ConnectionReset);
        assert_eq!(reader.read(9).await.unwrap(), b"rest");
        for _ in 0..2 {
            assert_network(reader.read(9).await, NetworkCode::ConnectionReset);
            assert!(!reader.at_eof());
        }
        // The connection fails as a whole.
        assert_network(writer.drain().await, NetworkCode::ConnectionReset);
        assert_network(writer.write(b"x"), NetworkCode::ConnectionReset);
        assert_network(writer.wait_closed().await, NetworkCode::ConnectionReset);
        assert!(writer.is_closing());
    });
}

#[test]
fn reset_ends_a_pending_read() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let reset = async {
            lab.quiet().await;
            peer.reset();
        };
        let (read, ()) = join!(reader.read(9), reset);
        assert_network(read, NetworkCode::ConnectionReset);
    });
}

#[test]
fn reset_is_noticed_by_a_read_and_not_in_the_background() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.reset();
        lab.network.sleep(60 * SECOND).await;
        assert_eq!(reader.exception(), None);
        assert!(!writer.is_closing());
        assert_network(reader.read(1).await, NetworkCode::ConnectionReset);
    });
}

#[test]
fn over_long_line_is_an_overrun_and_nothing_is_dropped() {
    run(|lab| async move {
        let mut options = ConnectOptions::default();
        options.set_limit(10).unwrap();
        let (reader, _writer, peer) = lab.peer_with(options).await;
        peer.write(b"0123456789\n01234567890\nnext\n")
            .await
            .unwrap();
        reader.wait(Wanted::Exactly(28)).await.unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"0123456789\n");
        let overrun = Error::LimitOverrun {
            found: true,
            consumed: 11,
        };
        for _ in 0..2 {
            assert_eq!(reader.readline().await, Err(overrun.clone()));
            assert_eq!(reader.readlines(99).await, Err(overrun.clone()));
            assert_eq!(reader.readuntil(&[b"\n"]).await, Err(overrun.clone()));
        }
        assert_eq!(reader.discard(11).unwrap(), 11);
        assert_eq!(reader.readline().await.unwrap(), b"\n");
        assert_eq!(reader.readline().await.unwrap(), b"next\n");
    });
}

#[test]
fn line_without_end_is_an_overrun_before_it_is_complete() {
    run(|lab| async move {
        let mut options = ConnectOptions::default();
        options.set_limit(10).unwrap();
        let (reader, _writer, peer) = lab.peer_with(options).await;
        peer.write(&[b'x'; 50]).await.unwrap();
        match error(reader.readline().await) {
            Error::LimitOverrun {
                found: false,
                consumed,
            } => assert!(consumed > 10),
            other => panic!("{other:?}"),
        }
        peer.write(b"\nok\n").await.unwrap();
        let mut skipped = 0;
        loop {
            match reader.readline().await {
                Err(Error::LimitOverrun { consumed, .. }) => {
                    skipped += reader.discard(consumed as usize).unwrap();
                }
                line => {
                    skipped += line.unwrap().len();
                    break;
                }
            }
        }
        assert_eq!(skipped, 51);
        assert_eq!(reader.readline().await.unwrap(), b"ok\n");
    });
}

#[test]
fn result_beyond_max_result_is_too_large_and_consumes_nothing() {
    run(|lab| async move {
        let mut options = ConnectOptions::default();
        options.set_max_result(100).unwrap();
        let (reader, _writer, peer) = lab.peer_with(options).await;
        assert_eq!(reader.readexactly(101).await, Err(Error::TooLarge(101)));
        peer.write(&pattern(0, 150)).await.unwrap();
        assert!(matches!(
            error(reader.read_to_end().await),
            Error::TooLarge(_)
        ));
        assert_pattern(0, &reader.readexactly(100).await.unwrap());
        peer.end();
        assert_pattern(100, &reader.read_to_end().await.unwrap());
    });
}

#[test]
fn invalid_separators_are_refused() {
    run(|lab| async move {
        let (reader, _writer, _peer) = lab.peer().await;
        assert!(matches!(
            error(reader.readuntil(&[]).await),
            Error::InvalidArgument(_)
        ));
        assert!(matches!(
            error(reader.readuntil(&[b"\n", b""]).await),
            Error::InvalidArgument(_)
        ));
    });
}

#[test]
fn separator_across_pieces_is_found() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.set_faults_out(asyncio_streams_engine::testing::Faults::byte_by_byte());
        peer.write(b"a\r\rb\r\nc\r\n").await.unwrap();
        assert_eq!(reader.readuntil(&[b"\r\n"]).await.unwrap(), b"a\r\rb\r\n");
        assert_eq!(reader.readuntil(&[b"\r\n"]).await.unwrap(), b"c\r\n");
    });
}

#[test]
fn read_flushes_queued_output_before_it_waits() {
    run_in_order(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        writer.write(b"question\n").unwrap();
        let answer = async {
            assert_eq!(peer.read_exactly(9).await.unwrap(), b"question\n");
            peer.write(b"answer\n").await.unwrap();
        };
        let (read, ()) = join!(reader.readline(), answer);
        assert_eq!(read.unwrap(), b"answer\n");
    });
}

#[test]
fn fast_peer_does_not_starve_other_tasks() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let network = lab.network.clone();
        let sending = lab.network.spawn(async move {
            for start in (0..4_000_000).step_by(50_000) {
                peer.write(&pattern(start, 50_000)).await.unwrap();
            }
            peer
        });
        let mut read = 0;
        let mut turns = Vec::new();
        while read < 4_000_000 {
            let bytes = reader.read(1000).await.unwrap();
            assert_pattern(read, &bytes);
            read += bytes.len();
            turns.push(network.turn());
        }
        drop(sending.await);
    });
}
