//! The `writer` resource.

use asyncio_streams_engine::{self as engine, Wait};
use asyncio_streams_wasi03::{Received, StreamReader};

use crate::streams::{self, Waits};
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow, TlsInfo};
use crate::types::{Address, Error};

use super::numbers::Numbered;
use super::reader::Reader;
use super::{answer, tls};

/// `writer`.
pub(crate) struct Writer(pub(super) Numbered<engine::Writer>);

pub(super) fn export(writer: engine::Writer) -> streams::Writer {
    streams::Writer::new(Writer(Numbered::new(writer)))
}

impl streams::GuestWriter for Writer {
    asyncio_streams_face::writer_methods!();

    fn abort(&self) {
        self.0.abort();
    }

    fn try_drain(&self) -> Result<bool, Error> {
        self.0.try_drain().map_err(Error::from)
    }

    async fn drain(&self) -> Result<(), Error> {
        answer(self.0.drain()).await
    }

    async fn send(&self, data: Vec<u8>) -> Result<(), Error> {
        self.0.write(data)?;
        answer(self.0.drain()).await
    }

    async fn flush(&self) -> Result<(), Error> {
        answer(self.0.flush()).await
    }

    async fn write_stream(&self, data: StreamReader<u8>) -> (u64, Result<(), Error>) {
        crate::engine().settle_now();
        let source = Box::new(Received::from_stream(data));
        let (taken, result) = self.0.write_stream(source).await;
        (taken, result.map_err(Error::from))
    }

    async fn wait_closed(&self) -> Result<(), Error> {
        answer(self.0.wait_closed()).await
    }

    fn cancel(&self, what: Waits) {
        let named = [
            (Waits::DRAIN, Wait::Drain),
            (Waits::FLUSH, Wait::Flush),
            (Waits::WAIT_CLOSED, Wait::Closed),
            (Waits::WRITE_STREAM, Wait::WriteStream),
        ];
        for (flag, wait) in named {
            if what.contains(flag) {
                self.0.cancel(wait);
            }
        }
    }

    async fn start_tls(
        &self,
        reader: streams::ReaderBorrow<'_>,
        config: ClientConfigBorrow<'_>,
        server_name: String,
    ) -> Result<(), Error> {
        let protector = tls::client(&config, Some(&server_name))?.named();
        let reader = reader.get::<Reader>();
        answer(self.0.start_tls(&reader.0, protector)).await
    }

    async fn start_tls_server(
        &self,
        reader: streams::ReaderBorrow<'_>,
        config: ServerConfigBorrow<'_>,
    ) -> Result<(), Error> {
        let protector = tls::server(&config)?;
        let reader = reader.get::<Reader>();
        answer(self.0.start_tls(&reader.0, protector)).await
    }
}
