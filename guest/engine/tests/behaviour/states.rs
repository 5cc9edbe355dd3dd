//! The tables of states in wit/README.md, row by row: the result of each call in each state, and that no call changes
//! the state.

use asyncio_streams_engine::testing::{Faults, Peer};
use asyncio_streams_engine::{ConnectOptions, ServerOptions, Wanted};

use crate::support::*;

const RESET: NetworkCode = NetworkCode::ConnectionReset;

/// The result of a call in a state.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Ok,
    Waits,
    Closed,
    AfterEof,
    Overdue,
    Reset,
}

#[track_caller]
fn assert_answer(state: &str, call: &str, result: Option<Result<(), Error>>, expected: Answer) {
    let fits = match (&result, expected) {
        (Some(Ok(())), Answer::Ok) | (None, Answer::Waits) => true,
        (Some(Err(Error::Closed)), Answer::Closed) => true,
        (Some(Err(Error::WriteAfterEof)), Answer::AfterEof) => true,
        (Some(Err(Error::DeadlineExceeded)), Answer::Overdue) => true,
        (Some(Err(error)), Answer::Reset) => is_network(error, RESET),
        _ => false,
    };
    assert!(fits, "{state}: {call} returns {result:?}, not {expected:?}");
}

/// Checks a row of the table of writers: `write`, `drain` and `flush`, `wait-closed`, `is-closing`, `write-eof`.
async fn writer_row(
    lab: &Lab,
    state: &str,
    writer: &Writer,
    row: (Answer, Answer, Answer, bool, Answer),
) {
    for _ in 0..2 {
        let (write, drain, closed, closing, eof) = row;
        assert_eq!(writer.is_closing(), closing, "{state}");
        assert_answer(state, "write", Some(writer.write(b"")), write);
        assert_answer(state, "writelines", Some(writer.writelines(&[])), write);
        assert_answer(
            state,
            "drain",
            within(&lab.network, 1, writer.drain()).await,
            drain,
        );
        assert_answer(
            state,
            "flush",
            within(&lab.network, 1, writer.flush()).await,
            drain,
        );
        assert_answer(
            state,
            "wait-closed",
            within(&lab.network, 1, writer.wait_closed()).await,
            closed,
        );
        if !matches!(eof, Answer::Waits) {
            assert_answer(state, "write-eof", Some(writer.write_eof()), eof);
        }
        assert_eq!(
            writer.is_closing(),
            closing,
            "{state}: a call has changed it"
        );
    }
}

#[test]
fn writer_is_open_then_half_closed_then_closed() {
    run(|lab| async move {
        let (_reader, writer, _peer) = lab.peer().await;
        // `Waits` for write-eof means that it is not called: it would change the state.
        let open = (Answer::Ok, Answer::Ok, Answer::Waits, false, Answer::Waits);
        writer_row(&lab, "open", &writer, open).await;
        writer.write_eof().unwrap();
        let half = (
            Answer::AfterEof,
            Answer::Ok,
            Answer::Waits,
            false,
            Answer::Ok,
        );
        writer_row(&lab, "half-closed", &writer, half).await;
        writer.close();
        writer.wait_closed().await.unwrap();
        let closed = (Answer::Closed, Answer::Ok, Answer::Ok, true, Answer::Ok);
        writer_row(&lab, "closed", &writer, closed).await;
        // The first final state stays.
        writer.abort();
        writer_row(&lab, "closed, then aborted", &writer, closed).await;
    });
}

/// Returns a writer with bytes in transit to a peer that does not read.
async fn clogged(lab: &Lab, options: ConnectOptions) -> (Reader, Writer, Peer) {
    let (reader, writer, peer) = lab.peer_with(options).await;
    peer.set_faults_in(Faults::black_hole());
    writer.write(&pattern(0, 300_000)).unwrap();
    lab.quiet().await;
    (reader, writer, peer)
}

#[test]
fn writer_is_closing_then_overdue() {
    run(|lab| async move {
        let mut options = ConnectOptions::default();
        options.set_close_deadline(Some(SECOND));
        let (_reader, writer, _peer) = clogged(&lab, options).await;
        writer.close();
        let closing = (
            Answer::Closed,
            Answer::Waits,
            Answer::Waits,
            true,
            Answer::Ok,
        );
        writer_row(&lab, "closing", &writer, closing).await;
        lab.network.sleep(SECOND).await;
        let overdue = (
            Answer::Closed,
            Answer::Overdue,
            Answer::Overdue,
            true,
            Answer::Closed,
        );
        writer_row(&lab, "overdue", &writer, overdue).await;
        writer.abort();
        writer_row(&lab, "overdue, then aborted", &writer, overdue).await;
    });
}

#[test]
fn writer_can_be_aborted_from_every_open_state() {
    for before in ["open", "half-closed", "closing"] {
        run(move |lab| async move {
            let (_reader, writer, peer) = clogged(&lab, ConnectOptions::default()).await;
            match before {
                "half-closed" => writer.write_eof().unwrap(),
                "closing" => writer.close(),
                _ => {}
            }
            writer.abort();
            let aborted = (
                Answer::Closed,
                Answer::Closed,
                Answer::Closed,
                true,
                Answer::Closed,
            );
            writer_row(&lab, "aborted", &writer, aborted).await;
            peer.reset();
            lab.quiet().await;
            writer_row(&lab, "aborted, then reset", &writer, aborted).await;
        });
    }
}

#[test]
fn writer_can_be_lost_from_every_open_state() {
    for before in ["open", "half-closed", "closing"] {
        run(move |lab| async move {
            let (_reader, writer, peer) = clogged(&lab, ConnectOptions::default()).await;
            match before {
                "half-closed" => writer.write_eof().unwrap(),
                "closing" => writer.close(),
                _ => {}
            }
            peer.reset();
            lab.quiet().await;
            let lost = (
                Answer::Reset,
                Answer::Reset,
                Answer::Reset,
                true,
                Answer::Reset,
            );
            writer_row(&lab, "lost", &writer, lost).await;
            writer.abort();
            writer.close();
            writer_row(&lab, "lost, then aborted", &writer, lost).await;
        });
    }
}

#[test]
fn busy_takes_precedence_over_all_states() {
    run(|lab| async move {
        use asyncio_streams_engine::testing::stream;
        let (_reader, writer, _peer) = lab.peer().await;
        let (_sink, source) = stream(&lab.here);
        let mut sending = std::pin::pin!(writer.write_stream(Box::new(source)));
        lab.pending(sending.as_mut());
        writer.close();
        assert_eq!(writer.write(b""), Err(Error::Busy));
        assert_eq!(writer.write_eof(), Err(Error::Busy));
        assert_eq!(sending.await, (0, Err(Error::Closed)));
        assert_eq!(writer.write(b""), Err(Error::Closed));
    });
}

/// Checks a row of the table of readers: reads once the buffer is empty, `at-eof`, `exception`.
async fn reader_row(lab: &Lab, state: &str, reader: &Reader, read: Answer, at_eof: bool) {
    for _ in 0..2 {
        assert_eq!(reader.at_eof(), at_eof, "{state}");
        let exception = reader.exception().map(Err);
        match read {
            Answer::Ok | Answer::Waits => assert_eq!(exception, None, "{state}"),
            failed => assert_answer(state, "exception", exception, failed),
        }
        let result = within(&lab.network, 1, reader.read(1)).await;
        assert_answer(state, "read", result.map(|bytes| bytes.map(drop)), read);
        let result = within(&lab.network, 1, reader.wait(Wanted::Any)).await;
        let waits = matches!(read, Answer::Waits);
        assert_answer(
            state,
            "wait",
            result,
            if waits { Answer::Waits } else { Answer::Ok },
        );
    }
}

#[test]
fn reader_is_open_then_finally_ended() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        reader_row(&lab, "open", &reader, Answer::Waits, false).await;
        peer.end();
        reader.wait(Wanted::End).await.unwrap();
        reader_row(&lab, "ended", &reader, Answer::Ok, true).await;
        writer.close();
        reader_row(&lab, "ended, then closed", &reader, Answer::Ok, true).await;
        writer.abort();
        reader_row(&lab, "ended, then aborted", &reader, Answer::Ok, true).await;
    });
}

#[test]
fn failed_reader_stays_failed() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.reset();
        reader.wait(Wanted::Any).await.unwrap();
        reader_row(&lab, "failed", &reader, Answer::Reset, false).await;
        writer.close();
        reader_row(&lab, "failed, then closed", &reader, Answer::Reset, false).await;
    });
}

#[test]
fn reader_is_closed_by_close_and_by_abort() {
    for abort in [false, true] {
        run(move |lab| async move {
            let (reader, writer, peer) = lab.peer().await;
            if abort {
                writer.abort();
            } else {
                writer.close();
            }
            reader_row(&lab, "closed", &reader, Answer::Closed, false).await;
            drop(peer);
            lab.quiet().await;
            reader_row(&lab, "closed, then ended", &reader, Answer::Closed, false).await;
        });
    }
}

#[test]
fn reader_is_idle_when_the_timeout_has_passed() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_idle_timeout(Some(SECOND));
        let server = lab.serve(options).await;
        let _peer = lab.connect(server.port()).await;
        let (reader, writer) = server.accept().await.unwrap();
        lab.network.sleep(2 * SECOND).await;
        reader_row(&lab, "idle", &reader, Answer::Overdue, false).await;
        let overdue = (
            Answer::Closed,
            Answer::Overdue,
            Answer::Overdue,
            true,
            Answer::Closed,
        );
        writer_row(&lab, "overdue", &writer, overdue).await;
    });
}

#[test]
fn into_stream_works_in_every_state_with_bytes_left() {
    for before in ["open", "ended", "buffered and failed"] {
        run(move |lab| async move {
            let (reader, _writer, peer) = lab.peer().await;
            match before {
                "ended" => {
                    peer.end();
                    reader.wait(Wanted::End).await.unwrap();
                }
                "buffered and failed" => {
                    peer.write(b"x").await.unwrap();
                    reader.wait(Wanted::Any).await.unwrap();
                    peer.reset();
                    reader.wait(Wanted::End).await.unwrap();
                }
                _ => {}
            }
            let rest = reader.give_away().unwrap();
            drop(rest);
            reader_row(&lab, "given away", &reader, Answer::Closed, false).await;
        });
    }
}

#[test]
fn server_is_bound_serving_closed_and_finished() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_start_serving(false);
        let server = lab.serve(options).await;
        let row =
            async |state: &str, accept: Answer, serving: bool, sockets: usize, closed: Answer| {
                let accepted = within(&lab.network, 1, server.accept()).await;
                assert_answer(state, "accept", accepted.map(|pair| pair.map(drop)), accept);
                assert_eq!(server.is_serving(), serving, "{state}");
                assert_eq!(server.sockets().len(), sockets, "{state}");
                let waited = within(&lab.network, 1, server.wait_closed()).await;
                assert_answer(state, "wait-closed", waited.map(Ok), closed);
            };
        row("bound", Answer::Waits, false, 1, Answer::Waits).await;
        server.start_serving().unwrap();
        row("serving", Answer::Waits, true, 1, Answer::Waits).await;
        let _peer = lab.connect(server.port()).await;
        let client = server.accept().await.unwrap();
        server.close();
        row("closed", Answer::Closed, false, 0, Answer::Waits).await;
        drop(client);
        lab.quiet().await;
        row("finished", Answer::Closed, false, 0, Answer::Ok).await;
        server.close();
        row(
            "finished, then closed",
            Answer::Closed,
            false,
            0,
            Answer::Ok,
        )
        .await;
    });
}
