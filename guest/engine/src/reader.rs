//! The reading side of a connection, as faces hand it to callers.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use asyncio_streams_core::{self as core, Request, Wanted};

use crate::connection::{Connection, InputRest};
use crate::types::Error;

/// A reader. Dropping it discards what was buffered and what still comes.
pub struct Reader(Rc<Connection>);

impl Reader {
    pub(crate) fn new(connection: Rc<Connection>) -> Self {
        Reader(connection)
    }

    /// Returns whether it is the reader of that connection.
    pub(crate) fn is_of(&self, connection: &Rc<Connection>) -> bool {
        Rc::ptr_eq(&self.0, connection)
    }

    /// Reads. The read is pending from the call on; dropping the future takes nothing.
    ///
    /// # Errors
    ///
    /// `busy` while another read or wait is pending, `cancelled` by [`Reader::cancel`], and those of the read (`reader` in
    /// wit/streams.wit), as for all reads.
    pub fn read(&self, request: &Request) -> impl Future<Output = Result<Vec<u8>, Error>> {
        self.0.read(0, |input| input.request(request))
    }

    /// Waits until a read would return at once.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn wait(&self, wanted: &Wanted) -> impl Future<Output = Result<(), Error>> {
        self.0
            .read(0, |input| Ok(input.is_ready(wanted).then_some(())))
    }

    /// Discards input before `position`, then waits for `wanted` and calls `look`, which may take nothing. For bindings with a
    /// buffer of their own.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn wait_from<T>(
        &self,
        position: u64,
        wanted: &Wanted,
        mut look: impl FnMut(&core::Reader<Error>) -> T,
    ) -> impl Future<Output = Result<T, Error>> {
        self.0.read(position, move |input| {
            Ok(input.is_ready(wanted).then(|| look(input)))
        })
    }

    /// Returns the platform's handle of the incoming stream ([`Source::handle`](crate::platform::Source::handle)). There is
    /// none while a read is pending, while bytes are buffered, and after the end: then a read may answer without the stream.
    pub fn source_handle(&self) -> Option<Rc<dyn Any>> {
        if self.look(core::Reader::buffered) > 0 {
            return None;
        }
        self.0.input.handle()
    }

    /// Reads without waiting; `None` when the read would have to wait.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn try_read(&self, request: &Request) -> Result<Option<Vec<u8>>, Error> {
        self.0.try_read(|input| input.request(request))
    }

    /// Reads a line into the caller's memory: appends it to `line`.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub async fn readline_into(&self, line: &mut Vec<u8>) -> Result<(), Error> {
        let reading = |input: &mut core::Reader<Error>| {
            let answered = input.readline_into(line)?;
            Ok(answered.then_some(()))
        };
        self.0.read(0, reading).await
    }

    /// The same without waiting; returns whether there was an answer.
    ///
    /// # Errors
    ///
    /// As for [`Reader::read`].
    pub fn try_readline_into(&self, line: &mut Vec<u8>) -> Result<bool, Error> {
        let answered = self
            .0
            .try_read(|input| input.readline_into(line).map(Some))?;
        Ok(answered.unwrap_or(false))
    }

    /// Calls `look` with the buffer.
    pub fn look<T>(&self, look: impl FnOnce(&core::Reader<Error>) -> T) -> T {
        look(&self.0.input.buffer.borrow())
    }

    /// Discards at most `n` buffered bytes; returns how many.
    ///
    /// # Errors
    ///
    /// `busy` while a read or a wait is pending.
    pub fn discard(&self, n: usize) -> Result<usize, Error> {
        let discarded = self.0.try_read(|input| Ok(Some(input.discard(n))))?;
        Ok(discarded.unwrap_or(0))
    }

    /// Ends the read or wait that is pending with `cancelled`.
    pub fn cancel(&self) {
        self.0.cancel_read();
    }

    /// Gives away everything that is still to come. The reader is `closed` afterwards. Only in async calls.
    ///
    /// # Errors
    ///
    /// `busy` while a read is pending, and the stored failure when there is nothing to give but that.
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

/// Converts a size of an interface to one of this machine.
pub fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
