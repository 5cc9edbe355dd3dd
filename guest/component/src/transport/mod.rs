//! A transport is a pair of byte streams and two results. Nothing above knows which kind it has.

mod plain;
pub(crate) mod read_buffers;
pub(crate) mod tcp;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub(crate) mod tls;

use asyncio_streams_task::{StreamReader, StreamWriter};

use crate::bindings::exports::asyncio::streams::types::Error;

/// The bytes that come in.
pub(crate) enum Incoming {
    /// As they come.
    Plain(plain::Incoming),
    /// What was protected.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "there is no value of it without TLS")
    )]
    Tls(tls::Incoming),
}

impl Incoming {
    /// Bytes from a stream that cannot fail, or that ends without saying so.
    pub(crate) fn from_stream(stream: StreamReader<u8>) -> Self {
        Incoming::Plain(plain::Incoming::from_stream(stream))
    }

    /// Waits until a byte was really read, and keeps it for the next read; false at the end, every time. A dropped wait
    /// loses nothing.
    pub(crate) async fn ready(&mut self) -> bool {
        match self {
            Incoming::Plain(incoming) => incoming.ready().await,
            Incoming::Tls(incoming) => incoming.ready().await,
        }
    }

    /// Reads what comes next; `None` at the end. Dropping the call loses nothing: what it would have got is what the next
    /// one returns.
    pub(crate) async fn read_next(&mut self) -> Option<Vec<u8>> {
        self.read_up_to(read_buffers::LARGE).await
    }

    /// The same, with a buffer of `size` bytes unless too many reads wait. An earlier read that was dropped may have had a
    /// larger one.
    pub(crate) async fn read_up_to(&mut self, size: usize) -> Option<Vec<u8>> {
        match self {
            Incoming::Plain(incoming) => read_buffers::read(incoming, size).await,
            Incoming::Tls(incoming) => incoming.read(size).await,
        }
    }

    /// Waits until there seems to be something to read, without taking it; false at the end.
    pub(crate) async fn readable(&mut self) -> bool {
        match self {
            Incoming::Plain(incoming) => incoming.readable().await,
            Incoming::Tls(incoming) => incoming.ready().await,
        }
    }

    /// Ends a read that is pending, and returns what it got. Only in async calls.
    pub(crate) fn stop(&mut self) -> Option<Vec<u8>> {
        match self {
            Incoming::Plain(incoming) => incoming.stop(),
            // Decrypted bytes stay for the next read.
            Incoming::Tls(_) => None,
        }
    }

    /// Drops the transport; `then` gets what a read got that was pending, now or later in the background.
    pub(crate) fn stop_then(self, then: impl FnOnce(Vec<u8>) + 'static) {
        match self {
            Incoming::Plain(incoming) => incoming.stop_then(then),
            Incoming::Tls(_) => {}
        }
    }

    /// How the stream ended. To be asked after the end; a dropped call can be repeated.
    pub(crate) async fn outcome(&mut self) -> Result<(), Error> {
        match self {
            Incoming::Plain(incoming) => incoming.outcome().await,
            Incoming::Tls(incoming) => incoming.outcome().await,
        }
    }

    /// How the stream ended, for those who did not care for what it carried: a loss of the connection, but not the loss
    /// of data that was still to come.
    pub(crate) async fn outcome_unread(&mut self) -> Result<(), Error> {
        match self {
            Incoming::Plain(incoming) => incoming.outcome().await,
            Incoming::Tls(incoming) => incoming.outcome_unread().await,
        }
    }
}

/// The bytes that go out.
pub(crate) enum Outgoing {
    /// As they are.
    Plain(plain::Outgoing),
    /// To be protected.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "there is no value of it without TLS")
    )]
    Tls(tls::Outgoing),
}

impl Outgoing {
    /// Bytes to a stream whose reader says nothing but that it has gone.
    pub(crate) fn to_stream(stream: StreamWriter<u8>) -> Self {
        Outgoing::Plain(plain::Outgoing::to_stream(stream))
    }

    /// Starts to write `chunk`, and returns how many bytes the transport took at once; the others are for
    /// [`Outgoing::write_rest`]. Only in async calls, and when nothing is left of an earlier write.
    pub(crate) fn write_now(&mut self, chunk: Vec<u8>) -> usize {
        match self {
            Outgoing::Plain(outgoing) => outgoing.write_now(chunk),
            Outgoing::Tls(outgoing) => outgoing.write_now(chunk),
        }
    }

    /// Whether [`Outgoing::write_now`] has left a rest.
    pub(crate) fn has_rest(&self) -> bool {
        match self {
            Outgoing::Plain(outgoing) => outgoing.has_rest(),
            Outgoing::Tls(outgoing) => outgoing.has_rest(),
        }
    }

    /// Writes what [`Outgoing::write_now`] could not write; `sent` hears of each part that was taken.
    pub(crate) async fn write_rest(&mut self, sent: impl FnMut(usize)) -> Result<(), Error> {
        match self {
            Outgoing::Plain(outgoing) => outgoing.write_rest(sent).await,
            Outgoing::Tls(outgoing) => outgoing.write_rest(sent).await,
        }
    }

    /// Writes the whole chunk; `sent` hears of each part that was taken.
    pub(crate) async fn write(
        &mut self,
        chunk: Vec<u8>,
        sent: impl FnMut(usize),
    ) -> Result<(), Error> {
        match self {
            Outgoing::Plain(outgoing) => outgoing.write(chunk, sent).await,
            Outgoing::Tls(outgoing) => outgoing.write(chunk, sent).await,
        }
    }

    /// Says what the transport has to say by itself.
    pub(crate) async fn speak(&mut self) -> Result<(), Error> {
        match self {
            Outgoing::Plain(_) => Ok(()),
            Outgoing::Tls(outgoing) => outgoing.speak().await,
        }
    }

    /// Ends the stream, for TCP with a FIN, and waits for the transport to confirm that it took every byte.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        match self {
            Outgoing::Plain(outgoing) => outgoing.finish().await,
            Outgoing::Tls(outgoing) => outgoing.finish().await,
        }
    }

    /// Whether a close is done only when the peer has ended its side too.
    pub(crate) fn waits_for_peer(&self) -> bool {
        match self {
            Outgoing::Plain(_) => false,
            Outgoing::Tls(outgoing) => outgoing.waits_for_peer(),
        }
    }

    /// Waits until the peer has ended its side too, as long as that may take. Somebody else has to read meanwhile.
    pub(crate) async fn peer_ended(&mut self) -> Result<(), Error> {
        match self {
            Outgoing::Plain(_) => Ok(()),
            Outgoing::Tls(outgoing) => outgoing.peer_ended().await,
        }
    }

    /// Says why the connection failed, where the transport has words for that. It may take a moment, not more.
    pub(crate) async fn last_words(&mut self) {
        match self {
            Outgoing::Plain(_) => {}
            Outgoing::Tls(outgoing) => outgoing.last_words().await,
        }
    }
}
