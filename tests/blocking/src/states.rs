//! The state tables of wit/README.md: each call in each state. `given away` does not exist here.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, Reader, ServerOptions, Wanted, Writer, open_connection,
};
use crate::checks::{
    BRIEFLY, MILLISECOND, NOW, Result, SOON, check, is_loss, list, matching, pair, pair_with, peer,
    peer_with, same, serve,
};

list![writer_open: Slow, writer_ends: Slow, writer_lost: Races, overdue_and_idle: Slow, server_states];

/// The answer of a call, as the tables name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Waits,
    Closed,
    AfterEof,
    Overdue,
    Lost,
    Else,
}

use Answer::{AfterEof, Closed, Done, Lost, Overdue, Waits};

fn answer_of<T>(answer: &std::result::Result<T, Error>) -> Answer {
    match answer {
        Ok(_) => Done,
        Err(Error::Cancelled) => Waits,
        Err(Error::Closed) => Closed,
        Err(Error::WriteAfterEof) => AfterEof,
        Err(Error::DeadlineExceeded) => Overdue,
        Err(error) if is_loss(error) => Lost,
        Err(_) => Answer::Else,
    }
}

/// A row of the table of writers. `write-eof` is called in final states only, since it changes the others.
struct Row {
    state: &'static str,
    write: Answer,
    drain: Answer,
    wait_closed: Answer,
    is_closing: bool,
    write_eof: Option<Answer>,
}

const fn row(state: &'static str, write: Answer, drain: Answer, wait_closed: Answer) -> Row {
    Row {
        state,
        write,
        drain,
        wait_closed,
        is_closing: true,
        write_eof: None,
    }
}

const OPEN: Row = Row {
    is_closing: false,
    ..row("open", Done, Done, Waits)
};
const HALF_CLOSED: Row = Row {
    is_closing: false,
    write_eof: Some(Done),
    ..row("half-closed", AfterEof, Done, Waits)
};
/// With more in its queue than its peer takes.
const CLOSING: Row = Row {
    write_eof: Some(Done),
    ..row("closing", Closed, Waits, Waits)
};
const CLOSED: Row = Row {
    write_eof: Some(Done),
    ..row("closed", Closed, Done, Done)
};
const LOST: Row = Row {
    write_eof: Some(Lost),
    ..row("lost", Lost, Lost, Lost)
};
const ABORTED: Row = Row {
    write_eof: Some(Closed),
    ..row("aborted", Closed, Closed, Closed)
};
const OVERDUE: Row = Row {
    write_eof: Some(Closed),
    ..row("overdue", Closed, Overdue, Overdue)
};

impl Row {
    /// Makes every call with timeouts that pass, and twice, since no answer changes the state.
    fn holds(&self, writer: &Writer) -> Result {
        let sent = match self.write {
            Done => self.drain,
            refused => refused,
        };
        for timeout in [NOW, BRIEFLY] {
            let answers = [
                ("write", answer_of(&writer.write(b"")), self.write),
                ("writelines", answer_of(&writer.writelines(&[])), self.write),
                ("send", answer_of(&writer.send(b"", timeout)), sent),
                ("drain", answer_of(&writer.drain(timeout)), self.drain),
                ("flush", answer_of(&writer.flush(timeout)), self.drain),
                (
                    "wait-closed",
                    answer_of(&writer.wait_closed(timeout)),
                    self.wait_closed,
                ),
            ];
            for (call, answer, expected) in answers {
                self.expect(call, answer, expected)?;
            }
            let drained = match writer.try_drain() {
                Ok(false) => Waits,
                answer => answer_of(&answer),
            };
            self.expect("try-drain", drained, self.drain)?;
            if let Some(expected) = self.write_eof {
                self.expect("write-eof", answer_of(&writer.write_eof()), expected)?;
            }
            same!(
                (self.state, writer.is_closing()),
                (self.state, self.is_closing)
            );
        }
        Ok(())
    }

    fn expect(&self, call: &str, answer: Answer, expected: Answer) -> Result {
        if answer == expected {
            return Ok(());
        }
        Err(format!("{}: {call} is {answer:?}, not {expected:?}", self.state).into())
    }
}

/// The state of a reader whose buffer is used up: the answer of reads, of which `Done` is the end.
fn reads(reader: &Reader, state: &str, expected: Answer) -> Result {
    let separators = [b"-".to_vec()];
    for timeout in [NOW, BRIEFLY] {
        for (call, answer) in [
            ("read", reader.read(Some(3), timeout)),
            ("read to the end", reader.read(None, timeout)),
            ("readline", reader.readline(timeout)),
            ("readlines", reader.readlines(9, timeout)),
        ] {
            let empty = answer.as_ref().is_ok_and(Vec::is_empty);
            if answer_of(&answer) != expected || answer.is_ok() != empty {
                return Err(format!("{state}: {call} is {answer:?}, not {expected:?}").into());
            }
        }
        for (call, answer) in [
            ("readexactly", reader.readexactly(3, timeout)),
            ("readuntil", reader.readuntil(&separators, timeout)),
        ] {
            let ended =
                matches!(&answer, Err(Error::IncompleteRead(read)) if read.partial.is_empty());
            if (expected == Done) != ended || (!ended && answer_of(&answer) != expected) {
                return Err(format!("{state}: {call} is {answer:?}, not {expected:?}").into());
            }
        }
        same!((state, reader.at_eof()), (state, expected == Done));
        let exception = match reader.exception() {
            Some(error) => answer_of::<()>(&Err(error)),
            None if expected == Waits => Waits,
            None => Done,
        };
        same!((state, exception), (state, expected));
    }
    Ok(())
}

fn writer_open(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = &pair.left;
    OPEN.holds(writer)?;
    reads(reader, "open", Waits)?;
    writer.write_eof()?;
    HALF_CLOSED.holds(writer)?;
    reads(reader, "open beside half-closed", Waits)?;
    reads(&pair.right.0, "ended", Done)?;
    OPEN.holds(&pair.right.1)?;
    writer.close();
    writer.wait_closed(SOON)?;
    CLOSED.holds(writer)?;
    reads(reader, "closed", Closed)?;
    // The end came before this side closed.
    pair.right.1.close();
    pair.right.1.wait_closed(SOON)?;
    reads(&pair.right.0, "ended, then closed", Done)?;
    // Final states stay.
    writer.abort();
    CLOSED.holds(writer)
}

fn writer_ends(port: u16) -> Result {
    let (reader, writer) = peer(port, "never")?;
    writer.write(&vec![1; 20_000_000])?;
    writer.close();
    CLOSING.holds(&writer)?;
    reads(&reader, "closed while closing", Closed)?;
    writer.abort();
    ABORTED.holds(&writer)?;
    reads(&reader, "closed by abort", Closed)?;
    writer.close();
    writer.abort();
    ABORTED.holds(&writer)
}

fn writer_lost(port: u16) -> Result {
    let (reader, writer) = peer(port, "reset after 3")?;
    check!(reader.wait(&Wanted::Exactly(4), SOON)?);
    same!(reader.read(Some(5), SOON)?, b"xxx");
    LOST.holds(&writer)?;
    reads(&reader, "failed", Lost)?;
    writer.close();
    writer.abort();
    LOST.holds(&writer)?;
    reads(&reader, "failed, then closed", Lost)
}

fn overdue_and_idle(port: u16) -> Result {
    let options = ConnectOptions::new();
    options.set_close_deadline(Some(50 * MILLISECOND));
    let (reader, writer) = peer_with(port, "never", &options)?;
    writer.write(&vec![1; 20_000_000])?;
    writer.close();
    matching!(writer.wait_closed(SOON), Err(Error::DeadlineExceeded));
    OVERDUE.holds(&writer)?;
    reads(&reader, "closed, then overdue", Closed)?;
    writer.abort();
    OVERDUE.holds(&writer)?;

    let options = ServerOptions::new();
    options.set_idle_timeout(Some(50 * MILLISECOND));
    let pair = pair_with(&ConnectOptions::new(), &options)?;
    let (reader, writer) = &pair.right;
    matching!(reader.read(Some(1), SOON), Err(Error::DeadlineExceeded));
    OVERDUE.holds(writer)?;
    reads(reader, "overdue", Overdue)
}

fn server_states(_: u16) -> Result {
    let options = ServerOptions::new();
    options.set_start_serving(false);
    let (server, port) = serve(&options)?;
    // Bound.
    check!(!server.is_serving());
    same!(server.sockets().len(), 1);
    matching!(server.accept(BRIEFLY), Err(Error::Cancelled));
    check!(server.try_accept()?.is_none());
    matching!(server.wait_closed(BRIEFLY), Err(Error::Cancelled));
    // Serving; a second start does nothing.
    server.start_serving()?;
    server.start_serving()?;
    check!(server.is_serving());
    same!(server.sockets().len(), 1);
    matching!(server.accept(BRIEFLY), Err(Error::Cancelled));
    matching!(server.wait_closed(BRIEFLY), Err(Error::Cancelled));
    let _client = open_connection("127.0.0.1", port, None)?;
    let accepted = server.accept(SOON)?;
    // Closed, with a client.
    for _ in 0..2 {
        server.close();
        check!(!server.is_serving());
        check!(server.sockets().is_empty());
        matching!(server.accept(SOON), Err(Error::Closed));
        matching!(server.try_accept(), Err(Error::Closed));
        matching!(server.wait_connection(SOON), Err(Error::Closed));
        matching!(server.start_serving(), Err(Error::Closed));
        matching!(server.wait_closed(BRIEFLY), Err(Error::Cancelled));
    }
    drop(accepted);
    // Finished.
    server.wait_closed(SOON)?;
    same!(server.shutdown(0), 0);
    server.close_clients();
    server.abort_clients();
    check!(!server.is_serving());
    check!(server.sockets().is_empty());
    matching!(server.accept(SOON), Err(Error::Closed));
    matching!(server.start_serving(), Err(Error::Closed));
    server.wait_closed(NOW)?;
    Ok(())
}
