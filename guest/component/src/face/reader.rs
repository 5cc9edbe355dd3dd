//! The `reader` resource.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{self as engine, Request, size};
use asyncio_streams_wasi03::bindings::wit_stream;
use asyncio_streams_wasi03::{FutureReader, Sent, StreamReader, spawn_in_background};

use crate::bindings::wit_future;
use crate::streams::{self, Wanted};
use crate::types::Error;

use super::answer;
use super::numbers::Numbered;
use super::requests::{separators, wanted};

/// `reader`.
pub(crate) struct Reader(pub(super) Numbered<engine::Reader>);

pub(super) fn export(reader: engine::Reader) -> streams::Reader {
    streams::Reader::new(Reader(Numbered::new(reader)))
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

    asyncio_streams_face::reader_methods!();

    fn discard(&self, n: u32) -> Result<u32, Error> {
        Ok(saturate(self.0.discard(size(n))?))
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
