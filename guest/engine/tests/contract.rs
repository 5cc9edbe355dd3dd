//! Runs the contract checker on the engine, over the network in memory. The guest programs `contract` and
//! `tls_contract` run the same checks on a component.

mod support;

use asyncio_streams_contract::{
    Answer, Fault, Kind, Pair, Reads, Result, Side, Wanted, Writes, check_kind,
};
use asyncio_streams_engine::platform::Sink;
use asyncio_streams_engine::testing::{Faults, stream};
use asyncio_streams_engine::{self as engine, ConnectOptions, ServerOptions};

use support::{Error, Lab, MILLISECOND, Reader, Writer, until};

/// More bytes than all queues between two ends hold.
const CLOG: usize = 4 << 20;

fn fault(error: Error) -> Fault {
    match error {
        Error::InvalidArgument(_) => Fault::InvalidArgument,
        Error::Busy => Fault::Busy,
        Error::WriteAfterEof => Fault::WriteAfterEof,
        Error::TooLarge(least) => Fault::TooLarge(least),
        Error::BufferFull => Fault::BufferFull,
        Error::IncompleteRead { partial, expected } => Fault::Incomplete { partial, expected },
        Error::LimitOverrun { found, consumed } => Fault::Overrun { found, consumed },
        Error::Closed => Fault::Closed,
        Error::Network(_) | Error::Tls(_) => Fault::Lost,
        other => Fault::Other(format!("{other:?}")),
    }
}

fn wanted(wanted: Wanted) -> std::result::Result<engine::Wanted, Error> {
    Ok(match wanted {
        Wanted::Any => engine::Wanted::Any,
        Wanted::Line => engine::Wanted::Line,
        Wanted::Exactly(n) => engine::Wanted::Exactly(n as usize),
        Wanted::Until(separators) => {
            let separators: Vec<&[u8]> = separators.iter().map(Vec::as_slice).collect();
            engine::Wanted::Until(until(&separators)?)
        }
        Wanted::End => engine::Wanted::End,
    })
}

#[derive(Debug)]
struct Receiving(Reader);

impl Reads for Receiving {
    async fn read(&self, n: u32) -> Answer<Vec<u8>> {
        self.0.read(n as usize).await.map_err(fault)
    }

    async fn read_to_end(&self) -> Answer<Vec<u8>> {
        self.0.read_to_end().await.map_err(fault)
    }

    async fn readline(&self) -> Answer<Vec<u8>> {
        self.0.readline().await.map_err(fault)
    }

    async fn readexactly(&self, n: u32) -> Answer<Vec<u8>> {
        self.0.readexactly(n as usize).await.map_err(fault)
    }

    async fn readuntil(&self, separators: &[&[u8]]) -> Answer<Vec<u8>> {
        self.0.readuntil(separators).await.map_err(fault)
    }

    async fn readlines(&self, max_bytes: u32) -> Answer<Vec<u8>> {
        self.0.readlines(max_bytes as usize).await.map_err(fault)
    }

    async fn wait(&self, what: Wanted) -> Answer<()> {
        self.0
            .wait(wanted(what).map_err(fault)?)
            .await
            .map_err(fault)
    }

    async fn peek(&self, n: u32) -> Vec<u8> {
        self.0.peek(n as usize)
    }

    async fn discard(&self, n: u32) -> Answer<u32> {
        self.0.discard(n as usize).map(|n| n as u32).map_err(fault)
    }

    async fn buffered(&self) -> u32 {
        self.0.buffered() as u32
    }

    async fn at_eof(&self) -> bool {
        self.0.at_eof()
    }

    async fn exception(&self) -> Option<Fault> {
        self.0.exception().map(fault)
    }
}

#[derive(Debug)]
struct Sending(Writer);

impl Writes for Sending {
    async fn write(&self, data: &[u8]) -> Answer<()> {
        self.0.write(data).map_err(fault)
    }

    async fn writelines(&self, data: &[&[u8]]) -> Answer<()> {
        self.0.writelines(data).map_err(fault)
    }

    async fn drain(&self) -> Answer<()> {
        self.0.drain().await.map_err(fault)
    }

    async fn try_drain(&self) -> Answer<bool> {
        self.0.try_drain().map_err(fault)
    }

    async fn send(&self, data: &[u8]) -> Answer<()> {
        self.0.send(data).await.map_err(fault)
    }

    async fn flush(&self) -> Answer<()> {
        self.0.flush().await.map_err(fault)
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
        self.0.wait_closed().await.map_err(fault)
    }

    async fn abort(&self) {
        self.0.abort();
    }

    async fn write_buffer_size(&self) -> u32 {
        self.0.write_buffer_size() as u32
    }
}

fn side((reader, writer): (Reader, Writer)) -> Side<Receiving, Sending> {
    Side {
        reader: Receiving(reader),
        writer: Sending(writer),
    }
}

/// Connections between two engines.
struct Sockets(Lab);

impl Kind for Sockets {
    type Reader = Receiving;
    type Writer = Sending;

    async fn pair(&self) -> Result<Pair<Receiving, Sending>> {
        let (left, right) = self
            .0
            .pair_with(ConnectOptions::default(), ServerOptions::default())
            .await;
        Ok(Pair {
            left: side(left),
            right: side(right),
        })
    }

    fn clog(&self) -> usize {
        CLOG
    }

    async fn settle(&self) {
        self.0.network.sleep(10 * MILLISECOND).await;
    }
}

/// Connections over streams without sockets.
struct Wrapped(Lab);

impl Kind for Wrapped {
    type Reader = Receiving;
    type Writer = Sending;

    async fn pair(&self) -> Result<Pair<Receiving, Sending>> {
        let (to_right, at_right) = stream(&self.0.here);
        let (to_left, at_left) = stream(&self.0.here);
        let wrap = |source, sink| {
            let streams = || (source, sink);
            self.0
                .engine
                .wrap(streams, ConnectOptions::default())
                .expect("room")
        };
        let (reader, writer) = wrap(Box::new(at_left) as _, Box::new(to_right) as Box<dyn Sink>);
        let left = side((reader.into(), writer.into()));
        let (reader, writer) = wrap(Box::new(at_right) as _, Box::new(to_left) as Box<dyn Sink>);
        let right = side((reader.into(), writer.into()));
        Ok(Pair { left, right })
    }

    fn clog(&self) -> usize {
        CLOG
    }

    async fn settle(&self) {
        self.0.network.sleep(10 * MILLISECOND).await;
    }
}

#[track_caller]
fn holds(result: Result) {
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn sockets_keep_the_contract() {
    support::run_in_order(|lab| async move { holds(check_kind(&Sockets(lab)).await) });
}

#[test]
fn sockets_with_a_seed_keep_the_contract() {
    support::run_with_seed(
        1,
        |lab| async move { holds(check_kind(&Sockets(lab)).await) },
    );
}

#[test]
fn sockets_over_a_slow_network_keep_the_contract() {
    support::run_in_order(|lab| async move {
        let slow = Faults::slow(50_000, MILLISECOND);
        lab.network.set_faults(slow.clone(), slow);
        holds(check_kind(&Sockets(lab)).await);
    });
}

#[test]
fn wrapped_streams_keep_the_contract() {
    support::run_in_order(|lab| async move { holds(check_kind(&Wrapped(lab)).await) });
}
