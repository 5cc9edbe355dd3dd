//! The contract of readers and writers, over connections that TLS protects.

use asyncio_streams::{Reader, Writer};
use asyncio_streams_contract::{self as contract, Kind, check_kind};
use asyncio_streams_test_programs::{
    Certificates, Failure, Pair, Result, tls_with, turns, upgraded, upgraded_memory,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let given = Certificates::from_arguments(0)?;
    for way in [Way::Protected, Way::Upgraded, Way::Memory] {
        let kind = Of { way, given: &given };
        let result = check_kind(&kind).await;
        result.map_err(|error| Failure::new(format_args!("{way:?}: {error}")))?;
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From the start.
    Protected,
    /// By `start-tls`.
    Upgraded,
    /// By `start-tls`, over wrapped streams in this component.
    Memory,
}

struct Of<'a> {
    way: Way,
    given: &'a Certificates,
}

impl Kind for Of<'_> {
    type Reader = Reader;
    type Writer = Writer;

    async fn pair(&self) -> Result<contract::Pair<Reader, Writer>> {
        let (client, server) = (self.given.client()?, self.given.server()?);
        let Pair { left, right } = match self.way {
            Way::Protected => tls_with(&client, &server).await?,
            Way::Upgraded => upgraded(&client, &server).await?,
            Way::Memory => upgraded_memory(&client, &server).await?,
        };
        let [left, right] = [left, right].map(|side| contract::Side {
            reader: side.reader,
            writer: side.writer,
        });
        Ok(contract::Pair { left, right })
    }

    fn clog(&self) -> usize {
        match self.way {
            Way::Protected | Way::Upgraded => 48 << 20,
            Way::Memory => 1 << 20,
        }
    }

    async fn settle(&self) {
        turns(10).await;
    }
}
