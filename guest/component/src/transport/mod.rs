//! A transport is a pair of byte streams and two results. Nothing above knows which kind it has.

mod plain;
pub(crate) mod rescue;
pub(crate) mod room;
pub(crate) mod tcp;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub(crate) mod tls;

use wit_bindgen::{StreamReader, StreamWriter};

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

    /// Waits until there is something to read; false at the end, every time. A dropped wait loses nothing.
    pub(crate) async fn ready(&mut self) -> bool {
        match self {
            Incoming::Plain(incoming) => incoming.ready().await,
            Incoming::Tls(incoming) => incoming.ready().await,
        }
    }

    /// Reads what comes next and gives it to `took`, also when the call is dropped. False at the end.
    pub(crate) async fn read_next(&mut self, took: impl FnOnce(Vec<u8>)) -> bool {
        self.read_much(room::LARGE, room::take, took).await
    }

    /// The same, at most `most` bytes, and into `room` unless too many wait.
    pub(crate) async fn read_much(
        &mut self,
        most: usize,
        room: impl FnOnce() -> Vec<u8>,
        took: impl FnOnce(Vec<u8>),
    ) -> bool {
        match self {
            Incoming::Plain(incoming) => room::read(incoming, most, room, took).await,
            Incoming::Tls(incoming) => incoming.read(room, took).await,
        }
    }

    /// Reads into the spare capacity of `buffer` and gives it to `took`, also when the call is dropped: a read that
    /// is cancelled may have got bytes already. False at the end.
    pub(crate) async fn read(&mut self, buffer: Vec<u8>, took: impl FnOnce(Vec<u8>)) -> bool {
        match self {
            Incoming::Plain(incoming) => incoming.read(buffer, took).await,
            Incoming::Tls(incoming) => incoming.read(|| buffer, took).await,
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

    /// Writes what the transport takes at once, and gives how many bytes that are; the rest is for
    /// [`Outgoing::write_rest`]. Only in async calls, and when there is no such rest.
    ///
    /// A transport that is a program's stream takes nothing at once: its reader is another task.
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
