//! The `reader` resource.

use std::rc::Rc;

use asyncio_streams_core::{self as core, Separators};
use asyncio_streams_task::{FutureReader, StreamReader};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::connection::Connection;
use crate::errors::saturate;
use crate::streams::{self, Wanted};

/// The reading side of a connection.
pub(crate) struct Reader(pub(super) Rc<Connection>);

impl Reader {
    pub(super) fn new(connection: Rc<Connection>) -> Self {
        Reader(connection)
    }

    /// Whether it is the reader of that connection.
    pub(super) fn is_of(&self, connection: &Rc<Connection>) -> bool {
        Rc::ptr_eq(&self.0, connection)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.drop_reader();
    }
}

type Bytes = Result<Vec<u8>, Error>;
type MaybeBytes = Result<Option<Vec<u8>>, Error>;

impl streams::GuestReader for Reader {
    async fn read(&self, n: Option<u32>) -> Bytes {
        match n {
            Some(n) => self.0.read(|input| input.read(size(n))).await,
            None => self.0.read(core::Reader::read_to_end).await,
        }
    }

    async fn readline(&self) -> Bytes {
        self.0.read(core::Reader::readline).await
    }

    async fn readexactly(&self, n: u32) -> Bytes {
        self.0.read(|input| input.readexactly(size(n))).await
    }

    async fn readuntil(&self, separators: Vec<Vec<u8>>) -> Bytes {
        let separators = Separators::new(separators)?;
        self.0.read(|input| input.readuntil(&separators)).await
    }

    async fn readlines(&self, max_bytes: u32) -> Bytes {
        self.0.read(|input| input.readlines(size(max_bytes))).await
    }

    async fn wait(&self, want: Wanted) -> Result<(), Error> {
        let wanted = match want {
            Wanted::Any => core::Wanted::Any,
            Wanted::Line => core::Wanted::Line,
            Wanted::Exactly(n) => core::Wanted::Exactly(size(n)),
            Wanted::Until(separators) => core::Wanted::Until(Separators::new(separators)?),
            Wanted::End => core::Wanted::End,
        };
        self.0
            .read(|input| Ok(input.is_ready(&wanted).then_some(())))
            .await
    }

    fn try_read(&self, n: u32) -> MaybeBytes {
        self.0.try_read(|input| input.read(size(n)))
    }

    fn try_readline(&self) -> MaybeBytes {
        self.0.try_read(core::Reader::readline)
    }

    fn try_readexactly(&self, n: u32) -> MaybeBytes {
        self.0.try_read(|input| input.readexactly(size(n)))
    }

    fn try_readuntil(&self, separators: Vec<Vec<u8>>) -> MaybeBytes {
        let separators = Separators::new(separators)?;
        self.0.try_read(|input| input.readuntil(&separators))
    }

    fn try_readlines(&self, max_bytes: u32) -> MaybeBytes {
        self.0.try_read(|input| input.readlines(size(max_bytes)))
    }

    fn peek(&self, n: u32) -> Vec<u8> {
        self.0.input.borrow().peek(size(n)).to_vec()
    }

    fn discard(&self, n: u32) -> Result<u32, Error> {
        let dropped = self.0.try_read(|input| Ok(Some(input.discard(size(n)))))?;
        Ok(saturate(dropped.unwrap_or(0)))
    }

    fn buffered(&self) -> u32 {
        saturate(self.0.input.borrow().buffered())
    }

    fn at_eof(&self) -> bool {
        self.0.input.borrow().at_eof()
    }

    fn exception(&self) -> Option<Error> {
        self.0.input.borrow().failure().cloned()
    }

    fn limit(&self) -> u32 {
        saturate(self.0.input.borrow().limit())
    }

    fn cancel(&self) {
        self.0.cancel_read();
    }

    async fn into_stream(
        &self,
    ) -> Result<(StreamReader<u8>, FutureReader<Result<(), Error>>), Error> {
        self.0.give_away()
    }
}

/// A size as memory has it.
pub(super) fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
