use std::sync::Arc;

use wasmtime::component::TypedFunc;

use super::client::{Call, Client, Handle, Object, Params, Results};
use super::io::{Incoming, Outcome};
use super::lane::{Caller, Lane};
use crate::error::Error;
use crate::wit::{self, Wanted};

/// The receiving side of a connection: a buffer, and reads that take from it.
///
/// Bytes leave the buffer only with a result, and buffered bytes come before a failure. One read can be pending at a
/// time; another one is [`Error::Busy`]. Dropping the future of a read cancels it, and nothing is lost. Dropping the
/// reader discards all buffered and later input; the connection lives until the writer ends.
///
/// # Errors of every read
/// [`Error::Network`] and [`Error::Tls`] when the connection failed, and [`Error::Closed`] when this side closed it,
/// if the buffered bytes do not satisfy the read. Those bytes stay for [`read`](Reader::read) and
/// [`peek`](Reader::peek).
pub struct Reader {
    object: Object,
    lane: Lane,
    outcome: Option<Outcome>,
}

/// The result of a try-read: nothing when it would have to wait.
type Tried = (Result<Option<Vec<u8>>, wit::Error>,);

impl Reader {
    pub(super) fn new(handle: Handle, client: &Arc<Client>) -> Self {
        Self {
            object: Object::new(handle, client),
            lane: Lane::default(),
            outcome: None,
        }
    }

    /// Makes a reader over a source of the host, which stores in `outcome` how it ended.
    pub(super) fn over(handle: Handle, client: &Arc<Client>, outcome: Outcome) -> Self {
        Self {
            outcome: Some(outcome),
            ..Self::new(handle, client)
        }
    }

    /// Reads the available bytes, up to `n`, and waits for the first byte; empty only at the end of the stream, and
    /// for `n` = 0.
    ///
    /// # Errors
    /// Those of [every read](Reader#errors-of-every-read).
    pub async fn read(&self, n: u32) -> Result<Vec<u8>, Error> {
        let func = self.object.guest().reader().func_try_read();
        self.take(Wanted::Any, func, (self.object.resource(), n))
            .await
    }

    /// Reads all bytes to the end of the stream.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when that is more than the connection's `max_result`: nothing was consumed, and
    /// [`into_incoming`](Reader::into_incoming) can read it. Those of [every read](Reader#errors-of-every-read).
    pub async fn read_to_end(&self) -> Result<Vec<u8>, Error> {
        let caller = self.lane.enter().await?;
        self.wait_in(&caller, Wanted::End).await?;
        if let Some(error) = self.outcome.as_ref().and_then(Outcome::error) {
            return Err(Error::Network(error));
        }
        let func = self.object.guest().reader().func_read();
        // The whole stream is buffered, so this does not wait.
        let call = self.pending(&caller, func, (self.object.resource(), None));
        Ok(self.object.client().call_at_once(call).await?.0?)
    }

    /// Reads one line with its `\n`. The last line may lack it; after that, the result is empty.
    ///
    /// # Errors
    /// [`Error::LimitOverrun`] for a line longer than the limit: nothing was consumed, and
    /// [`discard`](Reader::discard) skips it. Those of [every read](Reader#errors-of-every-read).
    pub async fn readline(&self) -> Result<Vec<u8>, Error> {
        let func = self.object.guest().reader().func_try_readline();
        self.take(Wanted::Line, func, (self.object.resource(),))
            .await
    }

    /// Reads exactly `n` bytes.
    ///
    /// # Errors
    /// [`Error::IncompleteRead`] when the stream ends before; [`Error::TooLarge`] when `n` is more than
    /// `max_result`. Those of [every read](Reader#errors-of-every-read).
    pub async fn readexactly(&self, n: u32) -> Result<Vec<u8>, Error> {
        let func = self.object.guest().reader().func_try_readexactly();
        self.take(Wanted::Exactly(n), func, (self.object.resource(), n))
            .await
    }

    /// Reads up to and including a separator: the shortest run of bytes that ends with any of them, whatever their
    /// order. If two separators end at the same byte, the shorter one counts, so that more bytes precede it.
    ///
    /// # Errors
    /// [`Error::LimitOverrun`] as for [`readline`](Reader::readline); [`Error::IncompleteRead`] when the stream
    /// ends before; [`Error::InvalidArgument`] for no separator or an empty one. Those of [every
    /// read](Reader#errors-of-every-read).
    pub async fn readuntil(&self, separators: &[&[u8]]) -> Result<Vec<u8>, Error> {
        let separators: Vec<Vec<u8>> = separators
            .iter()
            .map(|separator| separator.to_vec())
            .collect();
        let func = self.object.guest().reader().func_try_readuntil();
        self.take(
            Wanted::Until(separators.clone()),
            func,
            (self.object.resource(), separators),
        )
        .await
    }

    /// Reads the complete lines that are buffered, at least one, as one block of up to `max_bytes` (or one line).
    ///
    /// # Errors
    /// As [`readline`](Reader::readline).
    pub async fn readlines(&self, max_bytes: u32) -> Result<Vec<u8>, Error> {
        let func = self.object.guest().reader().func_try_readlines();
        self.take(Wanted::Line, func, (self.object.resource(), max_bytes))
            .await
    }

    /// Waits until the read in `wanted` would complete, and consumes nothing.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]. All other errors are returned by the read itself.
    pub async fn wait(&self, wanted: Wanted) -> Result<(), Error> {
        let caller = self.lane.enter().await?;
        self.wait_in(&caller, wanted).await
    }

    /// Returns the next buffered bytes, up to `n`, which stay in the buffer. Does not wait.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn peek(&self, n: u32) -> Result<Vec<u8>, Error> {
        let func = self.object.guest().reader().func_peek();
        Ok(self.object.ask(func, (self.object.resource(), n)).await?.0)
    }

    /// Drops up to `n` buffered bytes and returns how many. Does not wait.
    ///
    /// # Errors
    /// [`Error::Busy`] while a read is pending.
    pub async fn discard(&self, n: u32) -> Result<u32, Error> {
        let _caller = self.lane.enter().await?;
        let func = self.object.guest().reader().func_discard();
        Ok(self
            .object
            .ask(func, (self.object.resource(), n))
            .await?
            .0?)
    }

    /// Returns how many bytes are buffered.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn buffered(&self) -> Result<u32, Error> {
        let func = self.object.guest().reader().func_buffered();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Returns whether the peer has ended the stream and everything was read.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn at_eof(&self) -> Result<bool, Error> {
        let func = self.object.guest().reader().func_at_eof();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Returns the failure that ended the connection, if one did.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn exception(&self) -> Result<Option<Error>, Error> {
        let func = self.object.guest().reader().func_exception();
        Ok(self
            .object
            .ask(func, (self.object.resource(),))
            .await?
            .0
            .map(Error::from))
    }

    /// Returns the longest line, in bytes.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn limit(&self) -> Result<u32, Error> {
        let func = self.object.guest().reader().func_limit();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Converts the rest of the stream to a tokio reader, the fastest way to move many bytes. A failure of the
    /// connection is its last result, as an `io::Error` with the [`Error`] inside.
    ///
    /// # Errors
    /// [`Error::Busy`] while a read is pending; [`Error::Closed`].
    pub async fn into_incoming(self) -> Result<Incoming, Error> {
        let caller = self.lane.enter().await?;
        let (incoming, sink) = super::io::incoming(self.object.client());
        let func = self.object.guest().reader().func_into_stream();
        let call = self.pending(&caller, func, (self.object.resource(),));
        let call = call.map(move |(result,), store| match result {
            Ok((data, end)) => sink.connect(data, end, store).map(Ok),
            Err(error) => Ok(Err(error)),
        });
        self.object.client().call(call).await??;
        Ok(incoming)
    }

    /// The loop of every read: try, and if it would wait, wait without consuming anything.
    async fn take<P: Params + Clone>(
        &self,
        wanted: Wanted,
        func: TypedFunc<P, Tried>,
        params: P,
    ) -> Result<Vec<u8>, Error> {
        let caller = self.lane.enter().await?;
        loop {
            match self.object.ask(func, params.clone()).await?.0 {
                Ok(Some(bytes)) => return self.ended(bytes),
                Ok(None) => self.wait_in(&caller, wanted.clone()).await?,
                Err(error) => return Err(self.failed(error.into())),
            }
        }
    }

    async fn wait_in(&self, caller: &Caller, wanted: Wanted) -> Result<(), Error> {
        let func = self.object.guest().reader().func_wait();
        let call = self.pending(caller, func, (self.object.resource(), wanted));
        Ok(self.object.client().call(call).await?.0?)
    }

    /// Makes a call during which the reader is busy, and which is cancelled with its caller.
    fn pending<P: Params, R: Results>(
        &self,
        caller: &Caller,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Call<P, R> {
        let reader = self.object.guest().reader();
        let cancel = self
            .object
            .cancel(reader.func_cancel(), (self.object.resource(),));
        self.object
            .call(func, params)
            .borrow(caller.turn())
            .or_cancel(cancel)
    }

    /// A stream has no room for an error of its source, so a read that returns only the end checks for one.
    fn ended(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        match self.outcome.as_ref().and_then(Outcome::error) {
            Some(error) if bytes.is_empty() => Err(Error::Network(error)),
            _ => Ok(bytes),
        }
    }

    fn failed(&self, error: Error) -> Error {
        match (self.outcome.as_ref().and_then(Outcome::error), &error) {
            (Some(source), Error::IncompleteRead { partial, .. }) if partial.is_empty() => {
                Error::Network(source)
            }
            _ => error,
        }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
