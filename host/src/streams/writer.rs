use std::sync::Arc;

use tokio::io::AsyncRead;
use wasmtime::Store;
use wasmtime::component::{ResourceAny, StreamReader, TypedFunc};

use super::client::{Call, Client, Handle, Object};
use super::io::Outcome;
use super::lane::Lane;
use crate::error::{Address, Error};
use crate::wit::{self, Waits};

/// The sending side of a connection: a queue that is sent without further calls.
///
/// Writes that are queued in one turn leave together. Dropping the writer closes the connection in the background:
/// queued output is still sent, within the close deadline.
///
/// # Errors of every sending call
/// [`Error::Network`] and [`Error::Tls`] when the connection was lost, every time; [`Error::Closed`] when this side
/// closed or aborted it; [`Error::DeadlineExceeded`] when the close deadline passed while the call waited.
pub struct Writer {
    object: Object,
    /// A stream that is being sent; meanwhile the component refuses to write.
    stream: Lane,
}

/// The progress of a failed [`Writer::write_from`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("after {written} bytes: {error}")]
pub struct PartialWrite {
    /// The number of bytes that were queued.
    pub written: u64,
    /// Why the rest was not; an error of the source is an [`Error::Network`].
    #[source]
    pub error: Error,
}

impl Writer {
    pub(super) fn new(handle: Handle, client: &Arc<Client>) -> Self {
        Self {
            object: Object::new(handle, client),
            stream: Lane::default(),
        }
    }

    /// Queues bytes, all or none. Does not wait.
    ///
    /// # Errors
    /// [`Error::BufferFull`] beyond `max_queued`; [`Error::WriteAfterEof`]; [`Error::Busy`] while
    /// [`write_from`](Writer::write_from) is pending; those of [every sending
    /// call](Writer#errors-of-every-sending-call).
    pub async fn write(&self, data: &[u8]) -> Result<(), Error> {
        self.stream.settle().await;
        let func = self.object.guest().writer().func_write();
        Ok(self
            .object
            .ask(func, (self.object.resource(), data.to_vec()))
            .await?
            .0?)
    }

    /// Queues several pieces, all or none. Does not wait.
    ///
    /// # Errors
    /// As [`write`](Writer::write).
    pub async fn writelines(&self, data: &[&[u8]]) -> Result<(), Error> {
        let data: Vec<Vec<u8>> = data.iter().map(|piece| piece.to_vec()).collect();
        self.stream.settle().await;
        let func = self.object.guest().writer().func_writelines();
        Ok(self
            .object
            .ask(func, (self.object.resource(), data))
            .await?
            .0?)
    }

    /// Waits while too much is queued: from above the high mark until at or below the low one.
    ///
    /// # Errors
    /// Those of [every sending call](Writer#errors-of-every-sending-call).
    pub async fn drain(&self) -> Result<(), Error> {
        if self.try_drain().await? {
            return Ok(());
        }
        self.wait(self.object.guest().writer().func_drain(), Waits::DRAIN)
            .await
    }

    /// Returns whether [`drain`](Writer::drain) would return at once.
    ///
    /// # Errors
    /// As [`drain`](Writer::drain).
    pub async fn try_drain(&self) -> Result<bool, Error> {
        let func = self.object.guest().writer().func_try_drain();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0?)
    }

    /// Calls `write` and `drain`. When the future is dropped while it drains, the bytes stay queued.
    ///
    /// # Errors
    /// As [`write`](Writer::write) and [`drain`](Writer::drain).
    pub async fn send(&self, data: &[u8]) -> Result<(), Error> {
        self.write(data).await?;
        self.drain().await
    }

    /// Waits until the operating system has taken every byte written so far.
    ///
    /// # Errors
    /// Those of [every sending call](Writer#errors-of-every-sending-call).
    pub async fn flush(&self) -> Result<(), Error> {
        self.wait(self.object.guest().writer().func_flush(), Waits::FLUSH)
            .await
    }

    /// Sends all bytes of `source` after the queued ones, as fast as the peer accepts them, and returns their number.
    /// It does not end the output. Dropping the future stops it; bytes already taken are still sent.
    ///
    /// # Errors
    /// [`PartialWrite`]: how many bytes were taken, and the reason why the rest was not.
    pub async fn write_from(
        &self,
        source: impl AsyncRead + Send + 'static,
    ) -> Result<u64, PartialWrite> {
        let caller = match self.stream.enter().await {
            Ok(caller) => caller,
            Err(error) => return Err(PartialWrite { written: 0, error }),
        };
        let (producer, outcome) = super::io::producer(source);
        let resource = self.object.resource();
        let writer = self.object.guest().writer();
        let stream =
            move |store: &mut Store<_>| Ok((resource, StreamReader::new(store, producer)?));
        let call = Call::with(writer.func_write_stream(), stream)
            .borrow((self.object.handle(), caller.turn()))
            .or_cancel(
                self.object
                    .cancel(writer.func_cancel(), (resource, Waits::WRITE_STREAM)),
            );
        let sent = self.object.client().call(call).await;
        match sent.map(|(sent,)| sent) {
            Ok((written, Ok(()))) => match Outcome::error(&outcome) {
                Some(error) => Err(PartialWrite {
                    written,
                    error: Error::Network(error),
                }),
                None => Ok(written),
            },
            Ok((written, Err(error))) => Err(PartialWrite {
                written,
                error: error.into(),
            }),
            Err(error) => Err(PartialWrite { written: 0, error }),
        }
    }

    /// Returns whether the output can be ended while the input continues. With TCP it can.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn can_write_eof(&self) -> Result<bool, Error> {
        let func = self.object.guest().writer().func_can_write_eof();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Ends the output after the queued bytes; reading continues. Does not wait.
    ///
    /// # Errors
    /// Those of [every sending call](Writer#errors-of-every-sending-call).
    pub async fn write_eof(&self) -> Result<(), Error> {
        self.stream.settle().await;
        let func = self.object.guest().writer().func_write_eof();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0?)
    }

    /// Closes the connection after the queued bytes were sent. Does not wait; [`wait_closed`](Writer::wait_closed)
    /// does.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn close(&self) -> Result<(), Error> {
        self.object
            .ask(
                self.object.guest().writer().func_close(),
                (self.object.resource(),),
            )
            .await
    }

    /// Returns whether it was closed or aborted.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn is_closing(&self) -> Result<bool, Error> {
        let func = self.object.guest().writer().func_is_closing();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Waits until the connection has ended. Any number of callers may wait, any number of times.
    ///
    /// # Errors
    /// None after a clean close, else how it ended: [`Error::Network`] for a loss, [`Error::Closed`] for an abort,
    /// [`Error::DeadlineExceeded`] when closing took too long.
    pub async fn wait_closed(&self) -> Result<(), Error> {
        self.wait(
            self.object.guest().writer().func_wait_closed(),
            Waits::WAIT_CLOSED,
        )
        .await
    }

    /// Ends the connection at once; queued bytes are lost.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn abort(&self) -> Result<(), Error> {
        self.object
            .ask(
                self.object.guest().writer().func_abort(),
                (self.object.resource(),),
            )
            .await
    }

    /// Returns the address of the peer.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn peername(&self) -> Result<Option<Address>, Error> {
        let func = self.object.guest().writer().func_peername();
        Ok(self
            .object
            .ask(func, (self.object.resource(),))
            .await?
            .0
            .map(Address::from))
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn sockname(&self) -> Result<Option<Address>, Error> {
        let func = self.object.guest().writer().func_sockname();
        Ok(self
            .object
            .ask(func, (self.object.resource(),))
            .await?
            .0
            .map(Address::from))
    }

    /// Returns how many bytes are queued.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn write_buffer_size(&self) -> Result<u32, Error> {
        let func = self.object.guest().writer().func_write_buffer_size();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Returns the marks of [`drain`](Writer::drain): (low, high), in bytes.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn write_buffer_limits(&self) -> Result<(u32, u32), Error> {
        let func = self.object.guest().writer().func_write_buffer_limits();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Sets the marks of [`drain`](Writer::drain), in bytes. Without `low` it is a quarter of `high`, without
    /// `high` it is four times `low`, without both they are the default.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when `low` is above `high`.
    pub async fn set_write_buffer_limits(
        &self,
        high: Option<u32>,
        low: Option<u32>,
    ) -> Result<(), Error> {
        let func = self.object.guest().writer().func_set_write_buffer_limits();
        Ok(self
            .object
            .ask(func, (self.object.resource(), high, low))
            .await?
            .0?)
    }

    /// Makes a wait that does not exclude other waits. The component can only cancel all waits of a kind; those whose
    /// callers are still there start again.
    async fn wait(
        &self,
        func: TypedFunc<(ResourceAny,), (Result<(), wit::Error>,)>,
        kind: Waits,
    ) -> Result<(), Error> {
        let resource = self.object.resource();
        loop {
            let cancel = self
                .object
                .cancel(self.object.guest().writer().func_cancel(), (resource, kind));
            let call = self.object.call(func, (resource,)).or_cancel(cancel);
            match self.object.client().call(call).await?.0 {
                Err(wit::Error::Cancelled) => {}
                ended => return Ok(ended?),
            }
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
