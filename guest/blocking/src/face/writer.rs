//! The `writer` resource.

use std::rc::Rc;

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{self as engine, size};
use asyncio_streams_wasi02::{Timeout, answered_at_once, block_on};

use crate::blocking;
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow, TlsInfo};
use crate::types::{Address, Error};

use super::reader::Reader;
use super::{tls, wait};

/// `writer`.
pub(crate) struct Writer(pub(super) Rc<engine::Writer>);

pub(super) fn export(writer: engine::Writer) -> blocking::Writer {
    blocking::Writer::new(Writer(Rc::new(writer)))
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close();
        // Nothing goes out later unless another call waits. How it ends is not asked any more.
        let _ = block_on(self.0.wait_closed(), Timeout::new(None));
    }
}

impl blocking::GuestWriter for Writer {
    fn write(&self, data: Vec<u8>) -> Result<(), Error> {
        self.0.write(data).map_err(Error::from)
    }

    fn writelines(&self, data: Vec<Vec<u8>>) -> Result<(), Error> {
        self.0.writelines(data).map_err(Error::from)
    }

    fn drain(&self, timeout: Option<u64>) -> Result<(), Error> {
        if self.0.try_drain()? {
            answered_at_once();
            return Ok(());
        }
        wait(self.0.drain(), timeout)
    }

    fn try_drain(&self) -> Result<bool, Error> {
        self.0.try_drain().map_err(Error::from)
    }

    fn send(&self, data: Vec<u8>, timeout: Option<u64>) -> Result<(), Error> {
        self.0.write(data)?;
        self.drain(timeout)
    }

    fn flush(&self, timeout: Option<u64>) -> Result<(), Error> {
        wait(self.0.flush(), timeout)
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

    fn wait_closed(&self, timeout: Option<u64>) -> Result<(), Error> {
        wait(self.0.wait_closed(), timeout)
    }

    fn abort(&self) {
        self.0.abort();
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

    fn start_tls(
        &self,
        reader: blocking::ReaderBorrow<'_>,
        config: ClientConfigBorrow<'_>,
        server_name: String,
    ) -> Result<(), Error> {
        let protector = tls::client(&config, Some(&server_name))?.named();
        let reader = reader.get::<Reader>();
        wait(self.0.start_tls(&reader.engine, protector), None)
    }

    fn start_tls_server(
        &self,
        reader: blocking::ReaderBorrow<'_>,
        config: ServerConfigBorrow<'_>,
    ) -> Result<(), Error> {
        let protector = tls::server(&config)?;
        let reader = reader.get::<Reader>();
        wait(self.0.start_tls(&reader.engine, protector), None)
    }

    fn tls_info(&self) -> Option<TlsInfo> {
        self.0.tls_info().map(TlsInfo::from)
    }
}
