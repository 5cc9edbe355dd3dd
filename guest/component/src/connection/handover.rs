//! Giving the incoming bytes away as a stream, buffered ones first.

use std::rc::Rc;

use wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamWriter};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::{wit_future, wit_stream};
use crate::driver;
use crate::transport::Incoming;

use super::fill::{Lent, take_scratch};
use super::{Connection, Slot};

/// A stream of bytes and how it ended.
pub(crate) type Given = (StreamReader<u8>, FutureReader<Result<(), Error>>);

impl Connection {
    /// Gives away everything that is still to come. The reader is `closed` afterwards.
    ///
    /// With nothing buffered the transport's own stream is given: its bytes then pass through nobody's hands.
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
        let mut incoming = match failure {
            Some(_) => None,
            None => Lent::borrow(self).and_then(|mut lent| lent.incoming.take()),
        };
        // An end that is known already cannot be handed over: it is made anew.
        let whole = buffered.is_empty() && !incoming.as_mut().is_some_and(Incoming::has_ended);
        self.input.borrow_mut().give_up(Error::Closed);
        self.weigh();

        let (outcome, outcome_reader) = wit_future::new::<Result<(), Error>>(|| Ok(()));
        let given = match incoming {
            Some(incoming) if whole => {
                let (stream, mut ended) = incoming.into_parts();
                let connection = self.clone();
                driver::spawn(async move {
                    let result = ended.get().await;
                    connection.given_ended(result, outcome).await;
                });
                stream
            }
            incoming => {
                let (to, stream) = wit_stream::new::<u8>();
                let connection = self.clone();
                driver::spawn(async move {
                    let result = connection.copy(buffered, incoming, to).await;
                    connection
                        .given_ended(failure.map_or(result, Err), outcome)
                        .await;
                });
                stream
            }
        };
        Ok((given, outcome_reader))
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
        while wanted {
            let mut piece = Vec::new();
            if !incoming.ready().await
                || !incoming.read(take_scratch(), |bytes| piece = bytes).await
            {
                return incoming.outcome().await;
            }
            wanted = to.write_all(piece).await.is_empty();
        }
        *self.incoming.borrow_mut() = Slot::Here(incoming);
        self.drop_reader();
        Ok(())
    }
}
