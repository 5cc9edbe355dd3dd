//! Giving the incoming bytes away as a stream, buffered ones first.

use std::rc::Rc;

use asyncio_streams_task::{FutureReader, FutureWriter, Gone, Sink, StreamReader};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::{wit_future, wit_stream};
use crate::driver;
use crate::transport::{Incoming, read_buffers};

use super::fill::Lent;
use super::{Connection, Slot};

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
        self.input.borrow_mut().give_up(Error::Closed);
        self.weigh();

        // A reader over a stream of the program's own may be all there is so far.
        driver::start();
        let (outcome, outcome_reader) = wit_future::new::<Result<(), Error>>(|| Ok(()));
        let (to, stream) = wit_stream::new::<u8>();
        let to = Sink::new(to);
        let connection = self.clone();
        driver::spawn(async move {
            let result = connection.copy(buffered, incoming, to).await;
            connection.given_ended(failure.map_or(result, Err), outcome);
        });
        Ok((stream, outcome_reader))
    }

    fn given_ended(&self, result: Result<(), Error>, outcome: FutureWriter<Result<(), Error>>) {
        if let Err(error @ Error::Network(_)) = &result {
            self.lost(error.clone());
        }
        outcome.send(result);
    }

    /// Copies `buffered`, then all that comes, until either end is gone. What nobody takes is discarded.
    async fn copy(
        &self,
        buffered: Vec<u8>,
        incoming: Option<Incoming>,
        mut to: Sink,
    ) -> Result<(), Error> {
        let mut wanted = write_all(&mut to, buffered).await.is_ok();
        let Some(mut incoming) = incoming else {
            return Ok(());
        };
        let mut flows = false;
        // Without a reader nothing is read, so that a connection whose bytes nobody takes holds none.
        while wanted && (flows || to.reader_waits().await.is_ok()) {
            let piece = if flows {
                incoming.read_up_to(read_buffers::BULK).await
            } else {
                incoming.read_next().await
            };
            let Some(piece) = piece else {
                return incoming.outcome().await;
            };
            flows = piece.len() >= read_buffers::HAND_ON;
            wanted = write_all(&mut to, piece).await.is_ok();
            read_buffers::give_back(to.take_buffer());
        }
        *self.incoming.borrow_mut() = Slot::Here(incoming);
        self.drop_reader();
        Ok(())
    }
}

async fn write_all(to: &mut Sink, bytes: Vec<u8>) -> Result<(), Gone> {
    if !bytes.is_empty() {
        to.start(bytes);
    }
    to.finish(|_| {}).await
}
