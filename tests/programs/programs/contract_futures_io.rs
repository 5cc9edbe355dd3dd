//! The contract of readers and writers. Calls that futures-io's traits have go through them, the other calls do not:
//! each continues where the other stopped.

use std::io;

use asyncio_streams::{Error, Reader, Writer};
use asyncio_streams_contract::{
    self as contract, Answer, Fault, Kind, Reads, Wanted, Writes, check_kind,
};
use asyncio_streams_test_programs::{Failure, Pair, Result, memory, reads, tcp, turns, writes};
use futures::io::{AsyncReadExt as _, AsyncWriteExt as _};

asyncio_streams::run!(main);

async fn main() -> Result {
    for kind in [Of::Tcp, Of::Memory] {
        let result = check_kind(&kind).await;
        result.map_err(|error| Failure::new(format_args!("{kind:?}: {error}")))?;
    }
    Ok(())
}

#[derive(Debug)]
enum Of {
    Tcp,
    Memory,
}

impl Kind for Of {
    type Reader = Polled<Reader>;
    type Writer = Polled<Writer>;

    async fn pair(&self) -> Result<contract::Pair<Self::Reader, Self::Writer>> {
        let Pair { left, right } = match self {
            Of::Tcp => tcp().await?,
            Of::Memory => memory().await?,
        };
        let [left, right] = [left, right].map(|side| contract::Side {
            reader: Polled(side.reader),
            writer: Polled(side.writer),
        });
        Ok(contract::Pair { left, right })
    }

    fn clog(&self) -> usize {
        match self {
            Of::Tcp => 48 << 20,
            Of::Memory => 1 << 20,
        }
    }

    async fn settle(&self) {
        turns(10).await;
    }
}

/// A side that is used through the traits where they suffice.
#[derive(Debug)]
struct Polled<T>(T);

/// The crate's error inside the traits' error.
fn fault(error: io::Error) -> Fault {
    let text = format!("{error:?}");
    match error.into_inner().map(|inside| inside.downcast::<Error>()) {
        Some(Ok(inside)) => (*inside).into(),
        _ => Fault::Other(text),
    }
}

impl Reads for Polled<Reader> {
    async fn read(&self, n: u32) -> Answer<Vec<u8>> {
        let mut bytes = vec![0; n as usize];
        let read = reads(&self.0).read(&mut bytes).await.map_err(fault)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    async fn read_to_end(&self) -> Answer<Vec<u8>> {
        let mut bytes = Vec::new();
        reads(&self.0)
            .read_to_end(&mut bytes)
            .await
            .map_err(fault)?;
        Ok(bytes)
    }

    async fn readline(&self) -> Answer<Vec<u8>> {
        Reads::readline(&self.0).await
    }

    async fn readexactly(&self, n: u32) -> Answer<Vec<u8>> {
        Reads::readexactly(&self.0, n).await
    }

    async fn readuntil(&self, separators: &[&[u8]]) -> Answer<Vec<u8>> {
        Reads::readuntil(&self.0, separators).await
    }

    async fn readlines(&self, max_bytes: u32) -> Answer<Vec<u8>> {
        Reads::readlines(&self.0, max_bytes).await
    }

    async fn wait(&self, wanted: Wanted) -> Answer<()> {
        Reads::wait(&self.0, wanted).await
    }

    async fn peek(&self, n: u32) -> Vec<u8> {
        Reads::peek(&self.0, n).await
    }

    async fn discard(&self, n: u32) -> Answer<u32> {
        Reads::discard(&self.0, n).await
    }

    async fn buffered(&self) -> u32 {
        Reads::buffered(&self.0).await
    }

    async fn at_eof(&self) -> bool {
        Reads::at_eof(&self.0).await
    }

    async fn exception(&self) -> Option<Fault> {
        Reads::exception(&self.0).await
    }
}

impl Writes for Polled<Writer> {
    /// Directly, since the trait would wait.
    async fn write(&self, data: &[u8]) -> Answer<()> {
        Writes::write(&self.0, data).await
    }

    async fn writelines(&self, data: &[&[u8]]) -> Answer<()> {
        Writes::writelines(&self.0, data).await
    }

    async fn drain(&self) -> Answer<()> {
        Writes::drain(&self.0).await
    }

    async fn try_drain(&self) -> Answer<bool> {
        Writes::try_drain(&self.0).await
    }

    async fn send(&self, data: &[u8]) -> Answer<()> {
        writes(&self.0).write_all(data).await.map_err(fault)
    }

    async fn flush(&self) -> Answer<()> {
        let mut writer = &self.0;
        futures::AsyncWriteExt::flush(&mut writer)
            .await
            .map_err(fault)
    }

    async fn write_eof(&self) -> Answer<()> {
        Writes::write_eof(&self.0).await
    }

    async fn close(&self) {
        Writes::close(&self.0).await;
    }

    async fn is_closing(&self) -> bool {
        Writes::is_closing(&self.0).await
    }

    async fn wait_closed(&self) -> Answer<()> {
        Writes::wait_closed(&self.0).await
    }

    async fn abort(&self) {
        Writes::abort(&self.0).await;
    }

    async fn write_buffer_size(&self) -> u32 {
        Writes::write_buffer_size(&self.0).await
    }
}
