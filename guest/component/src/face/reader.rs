//! The `reader` resource.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{self as engine, Request, size};
use asyncio_streams_wasi03::bindings::wit_stream;
use asyncio_streams_wasi03::{FutureReader, Sent, StreamReader, spawn_in_background};

use crate::bindings::wit_future;
use crate::streams::{self, Wanted};
use crate::types::Error;

use super::numbers::Numbered;
use super::{answer, separators};

/// `reader`.
pub(crate) struct Reader(pub(super) Numbered<engine::Reader>);

pub(super) fn export(reader: engine::Reader) -> streams::Reader {
    streams::Reader::new(Reader(Numbered::new(reader)))
}

/// Converts what a wait is for.
pub(super) fn wanted(want: Wanted) -> Result<engine::Wanted, Error> {
    Ok(match want {
        Wanted::Any => engine::Wanted::Any,
        Wanted::Line => engine::Wanted::Line,
        Wanted::Exactly(n) => engine::Wanted::Exactly(size(n)),
        Wanted::Until(wanted) => engine::Wanted::Until(separators(wanted)?),
        Wanted::End => engine::Wanted::End,
    })
}

type Bytes = Result<Vec<u8>, Error>;
type MaybeBytes = Result<Option<Vec<u8>>, Error>;

impl Reader {
    async fn read(&self, request: Request) -> Bytes {
        answer(self.0.read(&request)).await
    }

    fn try_read(&self, request: &Request) -> MaybeBytes {
        self.0.try_read(request).map_err(Error::from)
    }
}

impl streams::GuestReader for Reader {
    async fn read(&self, n: Option<u32>) -> Bytes {
        self.read(match n {
            Some(n) => Request::Read(size(n)),
            None => Request::ReadToEnd,
        })
        .await
    }

    async fn readline(&self) -> Bytes {
        self.read(Request::Readline).await
    }

    async fn readexactly(&self, n: u32) -> Bytes {
        self.read(Request::Readexactly(size(n))).await
    }

    async fn readuntil(&self, wanted: Vec<Vec<u8>>) -> Bytes {
        self.read(Request::Readuntil(separators(wanted)?)).await
    }

    async fn readlines(&self, max_bytes: u32) -> Bytes {
        self.read(Request::Readlines(size(max_bytes))).await
    }

    async fn wait(&self, want: Wanted) -> Result<(), Error> {
        let wanted = wanted(want)?;
        answer(self.0.wait(&wanted)).await
    }

    fn try_read(&self, n: u32) -> MaybeBytes {
        self.try_read(&Request::Read(size(n)))
    }

    fn try_readline(&self) -> MaybeBytes {
        self.try_read(&Request::Readline)
    }

    fn try_readexactly(&self, n: u32) -> MaybeBytes {
        self.try_read(&Request::Readexactly(size(n)))
    }

    fn try_readuntil(&self, wanted: Vec<Vec<u8>>) -> MaybeBytes {
        self.try_read(&Request::Readuntil(separators(wanted)?))
    }

    fn try_readlines(&self, max_bytes: u32) -> MaybeBytes {
        self.try_read(&Request::Readlines(size(max_bytes)))
    }

    fn peek(&self, n: u32) -> Vec<u8> {
        self.0.look(|buffer| buffer.peek(size(n)).to_vec())
    }

    fn discard(&self, n: u32) -> Result<u32, Error> {
        Ok(saturate(self.0.discard(size(n))?))
    }

    fn buffered(&self) -> u32 {
        saturate(self.0.look(|buffer| buffer.buffered()))
    }

    fn at_eof(&self) -> bool {
        self.0.look(|buffer| buffer.at_eof())
    }

    fn exception(&self) -> Option<Error> {
        let failure = self.0.look(|buffer| buffer.failure().cloned());
        failure.map(Error::from)
    }

    fn limit(&self) -> u32 {
        saturate(self.0.look(|buffer| buffer.limit()))
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    async fn into_stream(
        &self,
    ) -> Result<(StreamReader<u8>, FutureReader<Result<(), Error>>), Error> {
        crate::engine().settle_now();
        let rest = self.0.into_stream()?;
        let (outcome, outcome_reader) = wit_future::new::<Result<(), Error>>(|| Ok(()));
        let (to, stream) = wit_stream::new::<u8>();
        spawn_in_background(async move {
            let (result, given) = rest.copy_to(Box::new(Sent::to_stream(to))).await;
            outcome.send_then(result.map_err(Error::from), move || drop(given));
        });
        Ok((stream, outcome_reader))
    }
}
