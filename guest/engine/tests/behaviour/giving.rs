//! Streams without sockets: passed in (`write_stream`, `from_stream`, `wrap`), and handed over (`into_stream`).

use std::pin::pin;

use asyncio_streams_engine::platform::Sink;
use asyncio_streams_engine::testing::{Faults, StreamSink, StreamSource, Task, stream, sync_call};
use asyncio_streams_engine::{ConnectOptions, InputRest, ServerOptions, Wait, Wanted};
use futures::join;

use crate::support::*;

const MUCH: usize = 300_000;

/// Feeds a stream with pieces, then ends it. The task returns how many bytes were taken.
fn feed(lab: &Lab, mut sink: StreamSink, pieces: Vec<Vec<u8>>) -> Task<usize> {
    lab.network.spawn(async move {
        let mut taken = 0;
        for piece in pieces {
            taken += sink.start(piece);
            let mut rest = Rest(&mut sink);
            loop {
                match rest.next().await {
                    Ok(0) => break,
                    Ok(n) => taken += n,
                    Err(_) => return taken,
                }
            }
        }
        taken
    })
}

/// Copies the handed-over input to a stream. The task returns the outcome.
fn copy(lab: &Lab, rest: InputRest) -> (StreamSource, Task<Result<(), Error>>) {
    let (sink, source) = stream(&lab.here);
    let copying = lab.network.spawn(async move {
        let (outcome, given) = rest.copy_to(Box::new(sink)).await;
        drop(given);
        outcome
    });
    (source, copying)
}

#[test]
fn write_stream_sends_everything_after_queued_bytes() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        writer.write(b"before ").unwrap();
        let (sink, source) = stream(&lab.here);
        let feeding = feed(&lab, sink, vec![pattern(0, MUCH), pattern(MUCH, 10)]);
        let sending = async {
            let sent = writer.write_stream(Box::new(source)).await;
            writer.write(b" after").unwrap();
            writer.write_eof().unwrap();
            sent
        };
        let (sent, all) = join!(sending, peer.read_to_end());
        assert_eq!(sent, (MUCH as u64 + 10, Ok(())));
        assert_eq!(feeding.await, MUCH + 10);
        let all = all.unwrap();
        assert_eq!(&all[..7], b"before ");
        assert_pattern(0, &all[7..7 + MUCH + 10]);
        assert_eq!(&all[7 + MUCH + 10..], b" after");
    });
}

#[test]
fn write_stream_excludes_other_writes() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        let (mut sink, source) = stream(&lab.here);
        let mut sending = pin!(writer.write_stream(Box::new(source)));
        lab.pending(sending.as_mut());
        assert_eq!(writer.write(b"x"), Err(Error::Busy));
        assert_eq!(writer.write(b""), Err(Error::Busy));
        assert_eq!(writer.writelines(&[b"x"]), Err(Error::Busy));
        assert_eq!(writer.write_eof(), Err(Error::Busy));
        let (_other, source) = stream(&lab.here);
        assert_eq!(
            writer.write_stream(Box::new(source)).await,
            (0, Err(Error::Busy))
        );
        writer.drain().await.unwrap();
        writer.flush().await.unwrap();
        sink.start(b"all".to_vec());
        let ending = async move {
            let mut rest = Rest(&mut sink);
            while rest.next().await.unwrap() > 0 {}
        };
        let (sent, ()) = join!(sending, ending);
        assert_eq!(sent, (3, Ok(())));
        assert_eq!(peer.read_exactly(3).await.unwrap(), b"all");
        writer.write(b"x").unwrap();
    });
}

#[test]
fn write_stream_holds_back_its_stream() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        peer.set_faults_in(Faults::black_hole());
        let (sink, source) = stream(&lab.here);
        let feeding = feed(&lab, sink, vec![pattern(0, 50_000); 100]);
        let mut sending = pin!(writer.write_stream(Box::new(source)));
        lab.waits_for(&mut sending, SECOND).await;
        // The high mark, one more piece, and the window.
        assert!(
            writer.write_buffer_size() <= 65_536 + 262_144,
            "{}",
            writer.write_buffer_size()
        );
        let abort = async {
            lab.quiet().await;
            writer.abort();
        };
        let ((taken, result), ()) = join!(sending, abort);
        assert_eq!(result, Err(Error::Closed));
        assert_eq!(feeding.await as u64, taken);
    });
}

#[test]
fn cancelled_write_stream_has_queued_the_bytes_it_took() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        let (sink, source) = stream(&lab.here);
        let mut pieces = vec![pattern(0, 20)];
        pieces.push(pattern(20, 20));
        let kept = {
            let feeding = feed(&lab, sink, pieces);
            let cancel = async {
                turns(9).await;
                writer.cancel(Wait::WriteStream);
            };
            let (sent, ()) = join!(writer.write_stream(Box::new(source)), cancel);
            let fed = feeding.await;
            assert_eq!(sent.0, fed as u64);
            assert!(matches!(sent.1, Ok(()) | Err(Error::Cancelled)), "{sent:?}");
            fed
        };
        writer.write_eof().unwrap();
        let all = peer.read_to_end().await.unwrap();
        assert_eq!(all.len(), kept);
        assert_pattern(0, &all);
    });
}

#[test]
fn dropped_write_stream_has_queued_the_bytes_it_took() {
    for after in 0..12 {
        run(move |lab| async move {
            let (_reader, writer, peer) = lab.peer().await;
            let (sink, source) = stream(&lab.here);
            let feeding = feed(&lab, sink, vec![pattern(0, 20), pattern(20, 20)]);
            interrupted(writer.write_stream(Box::new(source)), after).await;
            let fed = feeding.await;
            lab.quiet().await;
            writer.write_eof().unwrap();
            let all = peer.read_to_end().await.unwrap();
            assert_eq!(all.len(), fed);
            assert_pattern(0, &all);
        });
    }
}

#[test]
fn write_stream_ends_with_a_close() {
    run(|lab| async move {
        let (_reader, writer, _peer) = lab.peer().await;
        let (_sink, source) = stream(&lab.here);
        let close = async {
            lab.quiet().await;
            writer.close();
        };
        let (sent, ()) = join!(writer.write_stream(Box::new(source)), close);
        assert_eq!(sent, (0, Err(Error::Closed)));
        let (_sink, source) = stream(&lab.here);
        assert_eq!(
            writer.write_stream(Box::new(source)).await,
            (0, Err(Error::Closed))
        );
    });
}

#[test]
fn write_stream_ends_with_a_loss() {
    run(|lab| async move {
        let (_reader, writer, peer) = lab.peer().await;
        let (sink, source) = stream(&lab.here);
        let feeding = feed(&lab, sink, vec![pattern(0, 1000); 1000]);
        let reset = async {
            lab.quiet().await;
            peer.reset();
        };
        let ((_, result), ()) = join!(writer.write_stream(Box::new(source)), reset);
        assert_lost(result);
        feeding.await;
    });
}

#[test]
fn into_stream_hands_over_buffered_and_future_bytes() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"buffered").await.unwrap();
        reader.wait(Wanted::Exactly(8)).await.unwrap();
        let rest = reader.give_away().unwrap();
        assert_eq!(reader.read(1).await, Err(Error::Closed));
        assert_eq!(reader.exception(), Some(Error::Closed));
        assert!(!reader.at_eof());
        assert_eq!(reader.buffered(), 0);
        assert_eq!(reader.give_away().err(), Some(Error::Closed));
        let (mut source, copying) = copy(&lab, rest);
        let sending = async {
            peer.write(&pattern(0, MUCH)).await.unwrap();
            peer.end();
        };
        let (all, ()) = join!(source.read_to_end(), sending);
        assert_eq!(&all[..8], b"buffered");
        assert_eq!(all.len(), 8 + MUCH);
        assert_pattern(0, &all[8..]);
        copying.await.unwrap();
    });
}

#[test]
fn into_stream_reads_input_only_when_it_is_wanted() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        let mut sent = 0;
        for _ in 0..50 {
            sent += peer.try_write(&[1; 10_000]);
            lab.quiet().await;
        }
        assert!(sent <= 2 * 65_536, "{sent}");
        assert_eq!(lab.engine.bytes_held(), 0);
        peer.end();
        assert_eq!(source.read_to_end().await.len(), sent);
        copying.await.unwrap();
    });
}

#[test]
fn dropped_stream_discards_the_rest_and_the_writer_continues() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        peer.write(b"first").await.unwrap();
        source.read(2).await.unwrap();
        drop(source);
        peer.write(&pattern(0, 2 * MUCH)).await.unwrap();
        writer.write(b"still here").unwrap();
        assert_eq!(peer.read_exactly(10).await.unwrap(), b"still here");
        copying.await.unwrap();
    });
}

#[test]
fn outcome_of_into_stream_is_the_loss() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        peer.write(b"abc").await.unwrap();
        assert_eq!(source.read(1).await.unwrap().len(), 1);
        peer.reset();
        source.read_to_end().await;
        assert_network(copying.await, NetworkCode::ConnectionReset);
        assert_network(writer.write(b"x"), NetworkCode::ConnectionReset);
    });
}

#[test]
fn abort_ends_into_stream() {
    run(|lab| async move {
        let (reader, writer, _peer) = lab.peer().await;
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        let abort = async {
            lab.quiet().await;
            writer.abort();
        };
        let (all, ()) = join!(source.read_to_end(), abort);
        assert!(all.is_empty());
        assert_eq!(copying.await, Err(Error::Closed));
    });
}

#[test]
fn into_stream_continues_after_a_close() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        writer.write(b"bye").unwrap();
        drop((reader, writer));
        assert_eq!(peer.read_to_end().await.unwrap(), b"bye");
        for _ in 0..20 {
            lab.network.sleep(3 * SECOND).await;
            peer.write(b"more").await.unwrap();
            let mut read = 0;
            while read < 4 {
                read += source.read(4 - read).await.unwrap().len();
            }
        }
        peer.end();
        assert_eq!(source.read_to_end().await, b"");
        copying.await.unwrap();
    });
}

#[test]
fn dropped_stream_is_noticed_after_a_close() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let (source, copying) = copy(&lab, reader.give_away().unwrap());
        writer.write(b"bye").unwrap();
        drop((reader, writer));
        lab.network.sleep(SECOND).await;
        drop(source);
        lab.network.sleep(12 * SECOND).await;
        assert!(peer.other_side_is_gone());
        let _ = copying.await;
    });
}

#[test]
fn into_stream_after_a_failure_returns_the_buffer_then_the_failure() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        peer.write(b"rest").await.unwrap();
        reader.wait(Wanted::Exactly(4)).await.unwrap();
        peer.reset();
        reader.wait(Wanted::End).await.unwrap();
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        assert_eq!(source.read_to_end().await, b"rest");
        assert_network(copying.await, NetworkCode::ConnectionReset);
    });
}

#[test]
fn idle_timeout_applies_to_into_stream() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_idle_timeout(Some(SECOND));
        let server = lab.serve(options).await;
        let _peer = lab.connect(server.port()).await;
        let (reader, _writer) = server.accept().await.unwrap();
        let (mut source, copying) = copy(&lab, reader.give_away().unwrap());
        assert!(source.read_to_end().await.is_empty());
        assert_eq!(copying.await, Err(Error::DeadlineExceeded));
    });
}

#[test]
fn input_of_into_stream_that_is_never_copied_is_discarded() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let rest = reader.give_away().unwrap();
        sync_call(|| drop(rest));
        writer.write(b"x").unwrap();
        drop((reader, writer));
        assert_eq!(peer.read_to_end().await.unwrap(), b"x");
    });
}

#[test]
fn reader_over_a_stream_supports_all_reads() {
    run(|lab| async move {
        let (sink, source) = stream(&lab.here);
        let reader: Reader = lab
            .engine
            .from_stream(Box::new(source), 100)
            .unwrap()
            .into();
        let feeding = feed(&lab, sink, vec![b"one\ntw".to_vec(), b"o\nrest".to_vec()]);
        assert_eq!(reader.readline().await.unwrap(), b"one\n");
        assert_eq!(reader.readline().await.unwrap(), b"two\n");
        assert_eq!(reader.read_to_end().await.unwrap(), b"rest");
        assert!(reader.at_eof());
        assert_eq!(feeding.await, 12);
        assert!(
            lab.engine
                .from_stream(Box::new(stream(&lab.here).1), 0)
                .is_err()
        );
    });
}

#[test]
fn dropped_reader_over_a_stream_drops_the_stream() {
    run(|lab| async move {
        let (sink, source) = stream(&lab.here);
        let reader: Reader = lab
            .engine
            .from_stream(Box::new(source), 100)
            .unwrap()
            .into();
        let feeding = feed(&lab, sink, vec![pattern(0, 1000); 3]);
        reader.readexactly(10).await.unwrap();
        drop(reader);
        assert!(feeding.await < 3000);
    });
}

#[test]
fn wrapped_streams_are_a_connection() {
    run(|lab| async move {
        let (input, source) = stream(&lab.here);
        let (sink, mut output) = stream(&lab.here);
        let wrapped = lab.engine.wrap(
            || (Box::new(source), Box::new(sink) as Box<dyn Sink>),
            ConnectOptions::default(),
        );
        let (reader, writer) = wrapped.unwrap();
        let (reader, writer): (Reader, Writer) = (reader.into(), writer.into());
        assert_eq!((writer.peername(), writer.sockname()), (None, None));
        let feeding = feed(&lab, input, vec![b"hello\n".to_vec()]);
        assert_eq!(reader.readline().await.unwrap(), b"hello\n");
        writer.write(&pattern(0, MUCH)).unwrap();
        writer.close();
        let (all, closed) = join!(output.read_to_end(), writer.wait_closed());
        assert_pattern(0, &all);
        assert_eq!(all.len(), MUCH);
        closed.unwrap();
        feeding.await;
    });
}

#[test]
fn wrapped_stream_whose_reader_is_gone_is_a_broken_pipe() {
    run(|lab| async move {
        let (_input, source) = stream(&lab.here);
        let (sink, output) = stream(&lab.here);
        let wrapped = lab.engine.wrap(
            || (Box::new(source), Box::new(sink) as Box<dyn Sink>),
            ConnectOptions::default(),
        );
        let (reader, writer) = wrapped.unwrap();
        let (_reader, writer): (Reader, Writer) = (reader.into(), writer.into());
        drop(output);
        lab.quiet().await;
        assert!(!writer.is_closing(), "noticed when something is to be sent");
        writer.write(b"x").unwrap();
        assert_network(writer.flush().await, NetworkCode::BrokenPipe);
    });
}

#[test]
fn a_close_loses_no_byte_that_write_stream_took() {
    let whens = [1, 100_000, 250_000].map(|when| (0..6).map(move |turns| (when, turns)));
    for (when, after) in whens.into_iter().flatten() {
        for piece in [1_000, 30_001, 100_000] {
            run(move |lab| async move {
                let (_reader, writer, peer) = lab.peer().await;
                let (sink, source) = stream(&lab.here);
                let pieces = (0..1_000_000 / piece).map(|n| pattern(n * piece, piece));
                let feeding = feed(&lab, sink, pieces.collect());
                let receiving = async {
                    let (mut got, mut is_closed) = (0, false);
                    loop {
                        let bytes = peer.read(10_000).await.unwrap();
                        if bytes.is_empty() {
                            return got;
                        }
                        got += bytes.len();
                        if got >= when && !is_closed {
                            turns(after).await;
                            writer.close();
                            is_closed = true;
                        }
                    }
                };
                let moving = writer.write_stream(Box::new(source));
                let ((taken, result), got) = join!(moving, receiving);
                assert_eq!(result, Err(Error::Closed));
                assert_eq!(feeding.await as u64, taken);
                assert_eq!(got as u64, taken);
            });
        }
    }
}
