//! The reading side of a connection, for callers.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use asyncio_streams_core::{self as core, Request, Wanted};

use crate::connection::{Connection, InputRest};
use crate::types::Error;
use crate::watch::Event;

/// A reader. Dropping it discards buffered and future input.
pub struct Reader(Rc<Connection>);

impl Reader {
    pub(crate) fn new(connection: Rc<Connection>) -> Self {
        Reader(connection)
    }

    /// Returns whether this is the reader of `connection`.
    pub(crate) fn is_of(&self, connection: &Rc<Connection>) -> bool {
        Rc::ptr_eq(&self.0, connection)
    }

    /// Reads. The read is pending from the call on; a dropped future consumes nothing.
    ///
    /// # Errors
    ///
    /// `busy` while another read or wait is pending, `cancelled` by [`Reader::cancel`], and the errors of the read
    /// (`reader` in wit/streams.wit). The same applies to all reads.
    pub fn read(&self, request: &Request) -> impl Future<Output = Result<Vec<u8>, Error>> {
        self.0.read(|input| input.request(request))
    }

    /// Waits until a read would return at once.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn wait(&self, wanted: &Wanted) -> impl Future<Output = Result<(), Error>> {
        self.0
            .read(|input| Ok(input.is_ready(wanted).then_some(())))
    }

    /// Returns the event for which [`Reader::wait`] waits.
    pub fn readable(&self, wanted: Wanted) -> Event {
        let wanted = Rc::new(wanted);
        Event::new(&self.0, move |connection| {
            let wanted = wanted.clone();
            async move {
                let ready =
                    |input: &mut core::Reader<Error>| Ok(input.is_ready(&wanted).then_some(()));
                connection.read(ready).await
            }
        })
    }

    /// Returns the platform's handle of the incoming stream ([`Source::handle`](crate::platform::Source::handle)). There is
    /// none while a read is pending, and while a read has an answer without the stream: buffered bytes, the end, a failure, or
    /// `closed`.
    pub fn source_handle(&self) -> Option<Rc<dyn Any>> {
        if self.0.input.buffer.borrow_mut().is_ready(&Wanted::Any) {
            return None;
        }
        self.0.input.handle()
    }

    /// Reads without waiting; `None` if the read would have to wait.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn try_read(&self, request: &Request) -> Result<Option<Vec<u8>>, Error> {
        self.0.try_read(|input| input.request(request))
    }

    /// As [`Reader::try_read`], without a copy: calls `lend` with the bytes, and returns its result.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn try_read_with<T>(
        &self,
        request: &Request,
        lend: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, Error> {
        self.0.try_read(|input| input.request_with(request, lend))
    }

    /// Reads a line into the caller's memory: appends it to `line`.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub async fn readline_into(&self, line: &mut Vec<u8>) -> Result<(), Error> {
        let reading = |input: &mut core::Reader<Error>| {
            input.request_with(&Request::Readline, |bytes| line.extend_from_slice(bytes))
        };
        self.0.read(reading).await
    }

    /// Calls `look` with the core's reader and returns its result.
    pub fn look<T>(&self, look: impl FnOnce(&core::Reader<Error>) -> T) -> T {
        look(&self.0.input.buffer.borrow())
    }

    /// Returns whether a read or a wait is pending.
    pub fn is_busy(&self) -> bool {
        self.0.is_reading()
    }

    /// Discards at most `n` buffered bytes. Returns how many.
    ///
    /// # Errors
    ///
    /// `busy` while a read or a wait is pending.
    pub fn discard(&self, n: usize) -> Result<usize, Error> {
        let discarded = self.0.try_read(|input| Ok(Some(input.discard(n))))?;
        Ok(discarded.unwrap_or(0))
    }

    /// Ends the pending read or wait with `cancelled`.
    pub fn cancel(&self) {
        self.0.cancel_read();
    }

    /// Hands over all input that is still to come. The reader is `closed` afterwards. Only in async calls.
    ///
    /// # Errors
    ///
    /// `busy` while a read is pending; the stored failure if nothing is buffered.
    pub fn into_stream(&self) -> Result<InputRest, Error> {
        self.0.into_stream()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.drop_reader();
    }
}

/// Converts a 32-bit size of an interface to `usize`.
pub fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
