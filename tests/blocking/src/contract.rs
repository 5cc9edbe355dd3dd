//! The contract of readers and writers, which is the same for every kind of connection, by calls that block.
//!
//! The checks are async and have both ends in one task. So a call that would block is tried again until it does not, and
//! the executor moves the bytes in between.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use asyncio_streams_contract::{
    Answer, Fault, Kind, Pair, Reads, Side, Wanted, Writes, check_kind,
};

use crate::bindings::asyncio::streams::blocking::{self, Error, Reader, Writer, wait_any};
use crate::checks::{self, MILLISECOND, NOW, Result, list};

list![contract: Alone];

fn contract(_: u16) -> Result {
    run(check_kind(&Tcp)).map_err(|failure| failure.to_string().into())
}

/// Polls a future to its end. Between the polls, the bytes of all connections move.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return result;
        }
        turn();
    }
}

fn turn() {
    // Only waits for nothing without end are refused.
    let _ = wait_any(&[], Some(MILLISECOND / 10));
}

/// Tries a call until it does not time out.
async fn until<T>(call: impl Fn() -> std::result::Result<T, Error>) -> Answer<T> {
    poll_fn(|_| match call() {
        Err(Error::Cancelled) => Poll::Pending,
        result => Poll::Ready(result.map_err(fault)),
    })
    .await
}

fn fault(error: Error) -> Fault {
    match error {
        Error::InvalidArgument(_) => Fault::InvalidArgument,
        Error::Busy => Fault::Busy,
        Error::WriteAfterEof => Fault::WriteAfterEof,
        Error::TooLarge(least) => Fault::TooLarge(least),
        Error::BufferFull => Fault::BufferFull,
        Error::IncompleteRead(it) => Fault::Incomplete {
            partial: it.partial,
            expected: it.expected,
        },
        Error::LimitOverrun(it) => Fault::Overrun {
            found: it.found,
            consumed: it.consumed,
        },
        Error::Closed => Fault::Closed,
        Error::Network(_) | Error::Tls(_) => Fault::Lost,
        other => Fault::Other(format!("{other:?}")),
    }
}

/// Both ends of a TCP connection, in this program.
struct Tcp;

impl Kind for Tcp {
    type Reader = In;
    type Writer = Out;

    async fn pair(&self) -> asyncio_streams_contract::Result<Pair<In, Out>> {
        let pair = checks::pair();
        let pair = pair.map_err(|failure| Fault::Other(failure.0))?;
        let side = |(reader, writer)| Side {
            reader: In(reader),
            writer: Out(writer),
        };
        Ok(Pair {
            left: side(pair.left),
            right: side(pair.right),
        })
    }

    fn clog(&self) -> usize {
        48 << 20
    }

    async fn settle(&self) {
        for _ in 0..10 {
            turn();
        }
    }

    fn overlaps(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct In(Reader);

impl Reads for In {
    async fn read(&self, n: u32) -> Answer<Vec<u8>> {
        until(|| self.0.read(Some(n), NOW)).await
    }

    async fn read_to_end(&self) -> Answer<Vec<u8>> {
        until(|| self.0.read(None, NOW)).await
    }

    async fn readline(&self) -> Answer<Vec<u8>> {
        until(|| self.0.readline(NOW)).await
    }

    async fn readexactly(&self, n: u32) -> Answer<Vec<u8>> {
        until(|| self.0.readexactly(n, NOW)).await
    }

    async fn readuntil(&self, separators: &[&[u8]]) -> Answer<Vec<u8>> {
        let separators: Vec<_> = separators.iter().map(|it| it.to_vec()).collect();
        until(|| self.0.readuntil(&separators, NOW)).await
    }

    async fn readlines(&self, max_bytes: u32) -> Answer<Vec<u8>> {
        until(|| self.0.readlines(max_bytes, NOW)).await
    }

    async fn wait(&self, wanted: Wanted) -> Answer<()> {
        let wanted = match wanted {
            Wanted::Any => blocking::Wanted::Any,
            Wanted::Line => blocking::Wanted::Line,
            Wanted::Exactly(n) => blocking::Wanted::Exactly(n),
            Wanted::Until(separators) => blocking::Wanted::Until(separators),
            Wanted::End => blocking::Wanted::End,
        };
        until(|| match self.0.wait(&wanted, NOW) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Cancelled),
            Err(error) => Err(error),
        })
        .await
    }

    async fn peek(&self, n: u32) -> Vec<u8> {
        self.0.peek(n)
    }

    async fn discard(&self, n: u32) -> Answer<u32> {
        Ok(self.0.discard(n))
    }

    async fn buffered(&self) -> u32 {
        self.0.buffered()
    }

    async fn at_eof(&self) -> bool {
        self.0.at_eof()
    }

    async fn exception(&self) -> Option<Fault> {
        self.0.exception().map(fault)
    }
}

#[derive(Debug)]
struct Out(Writer);

impl Writes for Out {
    async fn write(&self, data: &[u8]) -> Answer<()> {
        self.0.write(data).map_err(fault)
    }

    async fn writelines(&self, data: &[&[u8]]) -> Answer<()> {
        let data: Vec<_> = data.iter().map(|it| it.to_vec()).collect();
        self.0.writelines(&data).map_err(fault)
    }

    async fn drain(&self) -> Answer<()> {
        until(|| self.0.drain(NOW)).await
    }

    async fn try_drain(&self) -> Answer<bool> {
        self.0.try_drain().map_err(fault)
    }

    async fn send(&self, data: &[u8]) -> Answer<()> {
        // A call that timed out has queued the data.
        match self.0.send(data, NOW) {
            Err(Error::Cancelled) => self.drain().await,
            result => result.map_err(fault),
        }
    }

    async fn flush(&self) -> Answer<()> {
        until(|| self.0.flush(NOW)).await
    }

    async fn write_eof(&self) -> Answer<()> {
        self.0.write_eof().map_err(fault)
    }

    async fn close(&self) {
        self.0.close();
    }

    async fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    async fn wait_closed(&self) -> Answer<()> {
        until(|| self.0.wait_closed(NOW)).await
    }

    async fn abort(&self) {
        self.0.abort();
    }

    async fn write_buffer_size(&self) -> u32 {
        self.0.write_buffer_size()
    }
}
