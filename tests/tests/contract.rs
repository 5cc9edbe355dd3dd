//! The contract of readers and writers, checked from a composed program and from an embedder.

use std::time::Duration;

use asyncio_streams_contract::{Failure, Kind, Pair, Result, Side, check_kind};
use asyncio_streams_host::{
    Address, ConnectOptions, Engine, Limits, Network, Reader, Streams, StreamsComponent, Writer,
};
use asyncio_streams_tests::component;

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [contract],
}

/// One check of everything takes some seconds.
const DEADLINE: Duration = Duration::from_secs(120);

#[test]
fn from_an_embedder_over_tcp() -> Result {
    embedded(|streams| Tcp { streams })
}

#[test]
fn from_an_embedder_over_its_own_streams() -> Result {
    embedded(|streams| Duplex { streams })
}

fn embedded<K: Kind>(kind: impl FnOnce(Streams) -> K) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let engine = Engine::new()?;
        let component = StreamsComponent::from_bytes(&engine, "streams", &component("streams"))?;
        let streams = component.start(Network::all(), Limits::default()).await?;
        let checked = tokio::time::timeout(DEADLINE, check_kind(&kind(streams))).await;
        checked.map_err(|_| Failure::new("it did not end before its deadline"))?
    })
}

/// Both ends are connections of the component.
struct Tcp {
    streams: Streams,
}

impl Kind for Tcp {
    type Reader = Reader;
    type Writer = Writer;

    async fn pair(&self) -> Result<Pair<Reader, Writer>> {
        let server = self.streams.start_server(&["127.0.0.1"], 0).await?;
        let port = match server.sockets().await?.first() {
            Some(Address::Inet(address)) => address.port(),
            other => return Err(Failure::new(format!("not a TCP server: {other:?}"))),
        };
        let connecting = self.streams.open_connection("127.0.0.1", port);
        let (left, right) = tokio::join!(connecting, server.accept());
        Ok(Pair {
            left: side(left?),
            right: side(right?),
        })
    }

    fn clog(&self) -> usize {
        48 << 20
    }

    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Both ends wrap streams of this process.
struct Duplex {
    streams: Streams,
}

impl Kind for Duplex {
    type Reader = Reader;
    type Writer = Writer;

    async fn pair(&self) -> Result<Pair<Reader, Writer>> {
        let (left, right) = tokio::io::duplex(64 << 10);
        let [left, right] = [left, right].map(tokio::io::split);
        let options = ConnectOptions::new();
        let left = self.streams.wrap(left.0, left.1, &options).await?;
        let right = self.streams.wrap(right.0, right.1, &options).await?;
        Ok(Pair {
            left: side(left),
            right: side(right),
        })
    }

    fn clog(&self) -> usize {
        1 << 20
    }

    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn side((reader, writer): (Reader, Writer)) -> Side<Reader, Writer> {
    Side { reader, writer }
}
