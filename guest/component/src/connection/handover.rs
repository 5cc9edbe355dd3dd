//! Giving the incoming bytes away as a stream, buffered ones first.

use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::{wit_future, wit_stream};
use crate::driver;
use crate::transport::{Incoming, room};

use super::fill::Lent;
use super::{Connection, Slot};

/// A stream of bytes and how it ended.
pub(crate) type Stream = (StreamReader<u8>, FutureReader<Result<(), Error>>);

impl Connection {
    /// Gives away everything that is still to come. The reader is `closed` afterwards.
    ///
    /// It is a stream of this component's, not the transport's: of that one, nobody would take what is left when it is
    /// dropped, and the peer would wait for ever, or lose what it has not read yet when the socket goes.
    ///
    /// What is given away stays counted until it is gone: the bytes until they are written, the connection until the
    /// stream has ended or been dropped and its outcome been read or dropped. An abort ends it.
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
        self.input.borrow_mut().give_up(Error::Closed);
        self.set_aside(buffered.len());
        let given = Given::begin(self, incoming.is_some());

        // A reader over a stream of the program's own may be all there is so far.
        driver::start();
        let (outcome, outcome_reader) = wit_future::new::<Result<(), Error>>(|| Ok(()));
        let (to, stream) = wit_stream::new::<u8>();
        driver::spawn(async move {
            let connection = &given.0;
            let result = connection.copy(buffered, incoming, failure, to).await;
            given.ended();
            connection.given_ended(result, outcome).await;
        });
        Ok((stream, outcome_reader))
    }

    async fn given_ended(
        &self,
        result: Result<(), Error>,
        outcome: FutureWriter<Result<(), Error>>,
    ) {
        if let Err(error @ Error::Network(_)) = &result {
            self.lost(error.clone());
        }
        // An error here means that nobody wants to know.
        let _ = outcome.write(result).await;
    }

    /// Waits until this side aborts the connection, and returns what calls say of that.
    async fn aborted(&self) -> Error {
        let check = || match self.outcome() {
            Some(Err(error @ (Error::Closed | Error::DeadlineExceeded))) => Some(error),
            _ => None,
        };
        self.output_changed.until(check).await
    }

    /// Copies `buffered`, whatever becomes of the connection; then says `failure`, or copies what comes.
    async fn copy(
        &self,
        buffered: Vec<u8>,
        incoming: Option<Incoming>,
        failure: Option<Error>,
        mut to: StreamWriter<u8>,
    ) -> Result<(), Error> {
        let wanted = buffered.is_empty() || to.write_all(buffered).await.is_empty();
        self.set_aside(0);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let Some(incoming) = incoming else {
            return Ok(());
        };
        let copying = pin!(self.copy_input(incoming, to, wanted));
        // After a close nobody else ends it when it is idle.
        let (aborted, idle) = (pin!(self.aborted()), pin!(self.activity.expired()));
        match select(copying, select(aborted, idle)).await {
            Either::Left((result, _)) => result,
            Either::Right((Either::Left((error, _)), _)) => Err(error),
            Either::Right((Either::Right(_), _)) => Err(Error::DeadlineExceeded),
        }
    }

    /// Copies what comes, until either end is gone. What nobody takes is discarded.
    async fn copy_input(
        &self,
        mut incoming: Incoming,
        mut to: StreamWriter<u8>,
        mut wanted: bool,
    ) -> Result<(), Error> {
        let mut piece = Vec::new();
        let mut flows = false;
        loop {
            // When all together hold much, nothing is taken that nobody waits for.
            flows = flows && self.room() >= room::BULK;
            if !flows {
                room::give_back(std::mem::take(&mut piece));
                self.set_aside(0);
                if !wanted || !wants_more(&mut to).await {
                    break;
                }
            }
            let more = if flows {
                let mut room = std::mem::take(&mut piece);
                room.clear();
                room.reserve_exact(room::BULK);
                let took = |bytes| piece = bytes;
                incoming.read_much(room::BULK, || room, took).await
            } else {
                incoming.read_next(|bytes| piece = bytes).await
            };
            if !more {
                return incoming.outcome().await;
            }
            self.activity.mark();
            flows = piece.len() >= room::HAND_ON;
            self.set_aside(piece.capacity());
            piece = to.write_all(piece).await;
            wanted = piece.is_empty();
            flows = flows && wanted;
        }
        *self.incoming.borrow_mut() = Slot::Here(incoming);
        self.drop_reader();
        Ok(())
    }
}

/// A connection whose input was given away: it counts until this is dropped.
struct Given(Rc<Connection>);

impl Given {
    fn begin(connection: &Rc<Connection>, input: bool) -> Self {
        if input {
            // Until it has been copied.
            *connection.incoming.borrow_mut() = Slot::Lent;
        }
        connection.given.set(true);
        Given(connection.clone())
    }

    /// The stream is gone. Input that is left is for the pump.
    fn ended(&self) {
        self.0.set_aside(0);
        let mut slot = self.0.incoming.borrow_mut();
        if matches!(*slot, Slot::Lent) {
            *slot = Slot::Gone;
        }
        drop(slot);
        self.0.pump.wake();
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.0.given.set(false);
        self.0.pump.wake();
    }
}

/// Waits until somebody reads, so that a connection whose bytes nobody takes holds none; false when the other end is gone.
async fn wants_more(to: &mut StreamWriter<u8>) -> bool {
    let (result, _) = to.write(Vec::new()).await;
    result != StreamResult::Dropped
}
