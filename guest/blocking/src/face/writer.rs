//! The `writer` resource.

use std::rc::Rc;

use asyncio_streams_engine::{self as engine};
use asyncio_streams_wasi02::{Timeout, answered_at_once, block_on, move_now};

use crate::blocking;
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow, TlsInfo};
use crate::types::{Address, Error};

use super::numbers::Number;
use super::reader::Reader;
use super::{tls, wait};

/// `writer`.
pub(crate) struct Writer(pub(super) Rc<engine::Writer>, Number);

pub(super) fn export(writer: engine::Writer) -> blocking::Writer {
    blocking::Writer::new(Writer(Rc::new(writer), Number::default()))
}

impl Writer {
    pub(super) fn number(&self) -> u64 {
        self.1.of(&self.0)
    }
}

/// Waits until the queue of a writer is below its mark.
pub(super) fn drain(writer: &engine::Writer, timeout: Option<u64>) -> Result<(), Error> {
    if writer.try_drain()? {
        answered_at_once();
        return Ok(());
    }
    wait(writer.drain(), timeout)
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close();
        // Nothing goes out later unless another call waits. How it ends is not asked any more.
        let _ = block_on(self.0.wait_closed(), Timeout::new(None));
    }
}

impl blocking::GuestWriter for Writer {
    asyncio_streams_face::writer_methods!();

    fn abort(&self) {
        self.0.abort();
        move_now();
    }

    fn drain(&self, timeout: Option<u64>) -> Result<(), Error> {
        drain(&self.0, timeout)
    }

    fn try_drain(&self) -> Result<bool, Error> {
        answered_at_once();
        Ok(self.0.try_drain()?)
    }

    fn send(&self, data: Vec<u8>, timeout: Option<u64>) -> Result<(), Error> {
        self.0.write(data)?;
        self.drain(timeout)
    }

    fn flush(&self, timeout: Option<u64>) -> Result<(), Error> {
        wait(self.0.flush(), timeout)
    }

    fn wait_closed(&self, timeout: Option<u64>) -> Result<(), Error> {
        wait(self.0.wait_closed(), timeout)
    }

    fn start_tls(
        &self,
        reader: blocking::ReaderBorrow<'_>,
        config: ClientConfigBorrow<'_>,
        server_name: String,
    ) -> Result<(), Error> {
        let protector = tls::client(&config, Some(&server_name))?.named();
        let reader = reader.get::<Reader>();
        wait(self.0.start_tls(&reader.0, protector), None)
    }

    fn start_tls_server(
        &self,
        reader: blocking::ReaderBorrow<'_>,
        config: ServerConfigBorrow<'_>,
    ) -> Result<(), Error> {
        let protector = tls::server(&config)?;
        let reader = reader.get::<Reader>();
        wait(self.0.start_tls(&reader.0, protector), None)
    }
}
