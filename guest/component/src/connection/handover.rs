//! Giving the incoming bytes away as a stream, buffered ones first.

use std::pin::pin;
use std::rc::Rc;

use asyncio_streams_task::{FutureReader, Gone, Sink, StreamReader};
use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::{wit_future, wit_stream};
use crate::driver;
use crate::transport::{Incoming, read_buffers};

use super::fill::{Away, Lent};
use super::{Connection, Slot};

/// Nanoseconds between two checks whether the stream of a closed connection still has a reader.
const PROBE: u64 = 5_000_000_000;

/// A stream of bytes and how it ended.
pub(crate) type Stream = (StreamReader<u8>, FutureReader<Result<(), Error>>);

impl Connection {
    /// Gives away everything that is still to come. The reader is `closed` afterwards.
    ///
    /// It is a stream of this component's, not the transport's: of that one, nobody would take what is left when it is
    /// dropped, and the peer would wait for ever, or lose what it has not read yet when the socket goes.
    ///
    /// The quotas count the bytes until they are written, and the connection until the stream has ended or was dropped and
    /// its outcome was read or dropped. An abort ends the stream.
    ///
    /// # Errors
    ///
    /// `busy` while a read is pending, and the stored failure when there is nothing to give but that.
    pub(crate) fn give_away(self: &Rc<Self>) -> Result<Stream, Error> {
        let _reading = self.begin_reading()?;
        let (buffered, failure) = {
            let mut input = self.input.borrow_mut();
            match input.failure() {
                Some(failure) if input.buffered() == 0 => return Err(failure.clone()),
                failure => {
                    let failure = failure.cloned();
                    (input.take_buffer(), failure)
                }
            }
        };
        // After a failure the rest of the input is the pump's to discard.
        let incoming = match failure {
            Some(_) => None,
            None => Lent::borrow(self).and_then(|mut lent| lent.incoming.take()),
        };
        if incoming.is_some() {
            // The pump waits for it, to discard the rest.
            *self.incoming.borrow_mut() = Slot::Lent;
        }
        self.input.borrow_mut().give_up(Error::Closed);
        self.set_aside(buffered.len());
        let given = Given::new(self);

        // A reader over a stream of the program's own may be all there is so far.
        driver::start();
        let (outcome, outcome_reader) = wit_future::new::<Result<(), Error>>(|| Ok(()));
        let (to, stream) = wit_stream::new::<u8>();
        driver::spawn(async move {
            let connection = &given.0;
            let to = Sink::new(to);
            let result = connection.copy(buffered, incoming, failure, to).await;
            let result = connection.one_reason(result);
            outcome.send_then(result, move || drop(given));
        });
        Ok((stream, outcome_reader))
    }

    /// How the input ended: a connection fails as a whole, by the first reason.
    fn one_reason(&self, result: Result<(), Error>) -> Result<(), Error> {
        match (self.outcome(), result) {
            // This side's close is no failure of what was given away before.
            (Some(Err(loss @ (Error::Network(_) | Error::Tls(_)))), _) => Err(loss),
            (_, Err(error @ (Error::Network(_) | Error::Tls(_)))) => {
                self.lost(error.clone());
                Err(error)
            }
            (_, result) => result,
        }
    }

    /// Waits until this side aborts the connection; returns the error of later calls.
    async fn aborted(&self) -> Error {
        let check = || match self.outcome() {
            Some(Err(error @ (Error::Closed | Error::DeadlineExceeded))) => Some(error),
            _ => None,
        };
        self.output_changed.until(check).await
    }

    /// Copies `buffered`, even when the connection ends; then returns `failure`, or copies later input.
    async fn copy(
        &self,
        buffered: Vec<u8>,
        incoming: Option<Incoming>,
        failure: Option<Error>,
        mut to: Sink,
    ) -> Result<(), Error> {
        let wanted = write_all(&mut to, buffered).await.is_ok();
        to.take_buffer();
        self.set_aside(0);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let Some(incoming) = incoming else {
            return Ok(());
        };
        let _away = Away(self);
        let copying = pin!(self.copy_input(incoming, to, wanted));
        // After a close only this ends an idle stream.
        let (aborted, idle) = (pin!(self.aborted()), pin!(self.activity.expired()));
        match select(copying, select(aborted, idle)).await {
            Either::Left((result, _)) => result,
            Either::Right((Either::Left((error, _)), _)) => Err(error),
            Either::Right((Either::Right(_), _)) => Err(Error::DeadlineExceeded),
        }
    }

    /// Copies input until either end is gone. The pump discards the rest.
    async fn copy_input(
        &self,
        mut incoming: Incoming,
        mut to: Sink,
        mut wanted: bool,
    ) -> Result<(), Error> {
        let mut flows = false;
        let mut probed = false;
        // Read only while the stream's reader waits: otherwise the bytes would stay in memory.
        while wanted && (flows || to.reader_waits().await.is_ok()) {
            let piece = {
                let reading = pin!(next_piece(&mut incoming, flows));
                match select(reading, pin!(self.probe(&mut probed))).await {
                    Either::Left((piece, _)) => piece,
                    Either::Right(_) => {
                        flows = false;
                        continue;
                    }
                }
            };
            let Some(piece) = piece else {
                return incoming.outcome().await;
            };
            self.note_input();
            self.set_aside(piece.capacity());
            let much = piece.len() >= read_buffers::HAND_ON;
            wanted = write_all(&mut to, piece).await.is_ok();
            read_buffers::give_back(to.take_buffer());
            self.set_aside(0);
            // Read ahead only while the component's bound leaves room.
            flows = much && self.room() >= read_buffers::BULK;
        }
        *self.incoming.borrow_mut() = Slot::Here(incoming);
        self.drop_reader();
        Ok(())
    }

    /// Waits for this side's close, and for [`PROBE`] between later checks of the stream's reader.
    ///
    /// Only a write shows that the reader has gone while the peer is silent. That does no harm before the close.
    async fn probe(&self, probed: &mut bool) {
        if *probed {
            driver::sleep(PROBE).await;
        } else {
            let closed = || self.closed.get().then_some(());
            self.output_changed.until(closed).await;
            *probed = true;
        }
    }
}

/// Keeps a connection counted while its input is given away.
struct Given(Rc<Connection>);

impl Given {
    fn new(connection: &Rc<Connection>) -> Self {
        connection.given.set(true);
        Given(connection.clone())
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.0.given.set(false);
        self.0.pump.wake();
    }
}

/// Reads what comes next: much at a time where the input flows.
async fn next_piece(incoming: &mut Incoming, flows: bool) -> Option<Vec<u8>> {
    if flows {
        incoming.read_up_to(read_buffers::BULK).await
    } else {
        incoming.read_next().await
    }
}

async fn write_all(to: &mut Sink, bytes: Vec<u8>) -> Result<(), Gone> {
    if !bytes.is_empty() {
        to.start(bytes);
    }
    to.finish(|_| {}).await
}
