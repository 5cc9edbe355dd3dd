//! The `reader` resource.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{self as engine, Request, size};
use asyncio_streams_wasi02::bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use asyncio_streams_wasi02::bindings::wasi::io::poll::Pollable;
use asyncio_streams_wasi02::{answered_at_once, subscribe};

use crate::blocking::{self, Wanted};
use crate::types::Error;

use super::numbers::Number;
use super::requests::{separators, wanted};
use super::{wait, wait_for};

/// `reader`. Fields are dropped in this order.
pub(crate) struct Reader(
    pub(super) Rc<engine::Reader>,
    Number,
    /// The stream of the pollables that were given out, which are its children: it may not end before this reader.
    RefCell<Option<Rc<dyn Any>>>,
);

pub(super) fn export(reader: engine::Reader) -> blocking::Reader {
    let number = Number::default();
    blocking::Reader::new(Reader(Rc::new(reader), number, RefCell::default()))
}

type Bytes = Result<Vec<u8>, Error>;
type MaybeBytes = Result<Option<Vec<u8>>, Error>;

impl Reader {
    pub(super) fn read(&self, request: &Request, timeout: Option<u64>) -> Bytes {
        if let Some(bytes) = self.0.try_read(request)? {
            answered_at_once();
            return Ok(bytes);
        }
        wait(self.0.read(request), timeout)
    }

    pub(super) fn number(&self) -> u64 {
        self.1.of(&self.0)
    }

    fn try_read(&self, request: &Request) -> MaybeBytes {
        match self.read(request, Some(0)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Cancelled) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl blocking::GuestReader for Reader {
    fn read(&self, n: Option<u32>, timeout: Option<u64>) -> Bytes {
        let request = match n {
            Some(n) => Request::Read(size(n)),
            None => Request::ReadToEnd,
        };
        self.read(&request, timeout)
    }

    fn readline(&self, timeout: Option<u64>) -> Bytes {
        self.read(&Request::Readline, timeout)
    }

    fn readexactly(&self, n: u32, timeout: Option<u64>) -> Bytes {
        self.read(&Request::Readexactly(size(n)), timeout)
    }

    fn readuntil(&self, wanted: Vec<Vec<u8>>, timeout: Option<u64>) -> Bytes {
        self.read(&Request::Readuntil(separators(wanted)?), timeout)
    }

    fn readlines(&self, max_bytes: u32, timeout: Option<u64>) -> Bytes {
        self.read(&Request::Readlines(size(max_bytes)), timeout)
    }

    fn wait(&self, want: Wanted, timeout: Option<u64>) -> Result<bool, Error> {
        wait_for(self.0.wait(&wanted(want)?), timeout)
    }

    asyncio_streams_face::reader_methods!();

    fn discard(&self, n: u32) -> u32 {
        // Nothing else is pending, so it cannot fail.
        saturate(self.0.discard(size(n)).unwrap_or(0))
    }

    fn subscribe(&self) -> Pollable {
        let stream = self.0.source_handle();
        match stream.as_deref().and_then(subscribe) {
            Some(pollable) => {
                *self.2.borrow_mut() = stream;
                pollable
            }
            // A read has an answer without the stream.
            None => subscribe_duration(0),
        }
    }
}
