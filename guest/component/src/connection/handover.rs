//! Giving the incoming bytes away as a stream, buffered ones first.

use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::{wit_future, wit_stream};
use crate::driver;
use crate::transport::{Incoming, room};

use super::fill::{Away, Lent};
use super::{Connection, Slot};

/// Nanoseconds between two checks whether the stream of a closed connection still has a reader.
const PROBE: u64 = 5_000_000_000;

/// A stream of bytes and how it ended.
pub(crate) type Given = (StreamReader<u8>, FutureReader<Result<(), Error>>);

impl Connection {
    /// Gives away everything that is still to come. The reader is `closed` afterwards.
    ///
    /// It is a stream of this component's, not the transport's: of that one, nobody would take what is left when it is
    /// dropped, and the peer would wait for ever, or lose what it has not read yet when the socket goes.
    ///
    /// # Errors
    ///
    /// `busy` while a read is pending, and the stored failure when there is nothing to give but that.
    pub(crate) fn give_away(self: &Rc<Self>) -> Result<Given, Error> {
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
            // The pump waits for it, to discard what the stream's owner does not take.
            *self.incoming.borrow_mut() = Slot::Lent;
        }
        self.input.borrow_mut().give_up(Error::Closed);
        self.weigh();

        // A reader over a stream of the program's own may be all there is so far.
        driver::start();
        let (outcome, outcome_reader) = wit_future::new::<Result<(), Error>>(|| Ok(()));
        let (to, stream) = wit_stream::new::<u8>();
        let connection = self.clone();
        driver::spawn(async move {
            let result = connection.copy(buffered, incoming, to).await;
            connection
                .given_ended(failure.map_or(result, Err), outcome)
                .await;
        });
        Ok((stream, outcome_reader))
    }

    async fn given_ended(
        &self,
        result: Result<(), Error>,
        outcome: FutureWriter<Result<(), Error>>,
    ) {
        let result = self.one_reason(result);
        // An error here means that nobody wants to know.
        let _ = outcome.write(result).await;
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

    /// Copies `buffered`, then all that comes, until either end is gone. What nobody takes is discarded.
    async fn copy(
        &self,
        buffered: Vec<u8>,
        incoming: Option<Incoming>,
        mut to: StreamWriter<u8>,
    ) -> Result<(), Error> {
        let mut wanted = buffered.is_empty() || to.write_all(buffered).await.is_empty();
        let Some(mut incoming) = incoming else {
            return Ok(());
        };
        let _away = Away(self);
        let mut piece = Vec::new();
        let mut flows = false;
        let mut probed = false;
        while wanted && (flows || wants_more(&mut to).await) {
            if probed && self.aborted() {
                return Err(Error::Closed);
            }
            let more = {
                let reading = pin!(async {
                    if flows {
                        let mut room = std::mem::take(&mut piece);
                        room.clear();
                        room.reserve_exact(room::BULK);
                        let took = |bytes| piece = bytes;
                        incoming.read_much(room::BULK, || room, took).await
                    } else {
                        incoming.read_next(|bytes| piece = bytes).await
                    }
                });
                match select(reading, pin!(self.probe(&mut probed))).await {
                    Either::Left((more, _)) => more,
                    Either::Right(_) => true,
                }
            };
            if !more {
                return incoming.outcome().await;
            }
            flows = piece.len() >= room::HAND_ON;
            if !piece.is_empty() {
                self.note_input();
                piece = to.write_all(piece).await;
                wanted = piece.is_empty();
            }
        }
        *self.incoming.borrow_mut() = Slot::Here(incoming);
        self.drop_reader();
        Ok(())
    }

    /// Waits for a reason to check whether the stream still has a reader: this side's close, and some time after it.
    ///
    /// A reader that goes while the peer is silent is noticed by a write only. Until the close that does no harm.
    async fn probe(&self, probed: &mut bool) {
        if *probed {
            driver::sleep(PROBE).await;
        } else {
            let closed = || self.closed.get().then_some(());
            self.output_changed.until(closed).await;
            *probed = true;
        }
    }

    /// Whether this side has given the connection up.
    fn aborted(&self) -> bool {
        matches!(
            self.outcome(),
            Some(Err(Error::Closed | Error::DeadlineExceeded))
        )
    }
}

/// Waits until somebody reads, so that a connection whose bytes nobody takes holds none; false when the other end is gone.
async fn wants_more(to: &mut StreamWriter<u8>) -> bool {
    let (result, _) = to.write(Vec::new()).await;
    result != StreamResult::Dropped
}
