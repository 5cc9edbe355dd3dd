//! The `writer` resource.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{self as engine, Wait, size};
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
    fn write(&self, data: Vec<u8>) -> Result<(), Error> {
        self.0.write(data).map_err(Error::from)
    }

    fn writelines(&self, data: Vec<Vec<u8>>) -> Result<(), Error> {
        self.0.writelines(data).map_err(Error::from)
    }

    async fn drain(&self) -> Result<(), Error> {
        answer(self.0.drain()).await
    }

    fn try_drain(&self) -> Result<bool, Error> {
        self.0.try_drain().map_err(Error::from)
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

    fn can_write_eof(&self) -> bool {
        self.0.can_write_eof()
    }

    fn write_eof(&self) -> Result<(), Error> {
        self.0.write_eof().map_err(Error::from)
    }

    fn close(&self) {
        self.0.close();
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    async fn wait_closed(&self) -> Result<(), Error> {
        answer(self.0.wait_closed()).await
    }

    fn abort(&self) {
        self.0.abort();
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

    fn peername(&self) -> Option<Address> {
        self.0.peername().map(Address::from)
    }

    fn sockname(&self) -> Option<Address> {
        self.0.sockname().map(Address::from)
    }

    fn write_buffer_size(&self) -> u32 {
        saturate(self.0.write_buffer_size())
    }

    fn write_buffer_limits(&self) -> (u32, u32) {
        let (low, high) = self.0.write_buffer_limits();
        (saturate(low), saturate(high))
    }

    fn set_write_buffer_limits(&self, high: Option<u32>, low: Option<u32>) -> Result<(), Error> {
        let (high, low) = (high.map(size), low.map(size));
        Ok(self.0.set_write_buffer_limits(high, low)?)
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

    fn tls_info(&self) -> Option<TlsInfo> {
        self.0.tls_info().map(TlsInfo::from)
    }
}
