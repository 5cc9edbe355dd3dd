//! `into-stream`: hands the incoming bytes over as a stream, the buffered ones first.

use std::pin::pin;
use std::rc::Rc;

use crate::platform::Sink;
use crate::read_buffers::{BULK, HAND_ON};
use crate::select::{Either, select};
use crate::transport::{self, Incoming};
use crate::types::Error;

use super::Connection;
use super::input::{Away, Slot};

/// Nanoseconds between two checks whether the stream of a closed connection still has a reader.
const PROBE: u64 = 5_000_000_000;

/// The rest of a connection's input, to be copied to a stream.
///
/// The quotas count the bytes until they are written, and the connection until [`Given`] is dropped. An abort ends the
/// copying.
pub struct InputRest {
    given: Given,
    buffered: Vec<u8>,
    incoming: Option<Incoming>,
    failure: Option<Error>,
}

/// Keeps a connection counted while its input is handed over.
pub struct Given(Rc<Connection>);

impl Connection {
    /// Hands over all input that is still to come. The reader is `closed` afterwards. Only in async calls.
    ///
    /// The bytes are copied to a new stream. Handing over the transport's own stream would be wrong: when it is
    /// dropped, nothing reads the rest. The peer would then wait forever, or lose its unread bytes when the socket
    /// closes.
    ///
    /// # Errors
    ///
    /// `busy` while a read is pending; the stored failure if nothing is buffered.
    pub(crate) fn into_stream(self: &Rc<Self>) -> Result<InputRest, Error> {
        let _reading = self.input.reading.enter()?;
        let (buffered, failure) = {
            let mut input = self.input.buffer.borrow_mut();
            match input.failure() {
                Some(failure) if input.buffered() == 0 => return Err(failure.clone()),
                failure => {
                    let failure = failure.cloned();
                    (input.take_buffer(), failure)
                }
            }
        };
        // After a failure the rest of the input is discarded.
        let incoming = match failure {
            Some(_) => None,
            None => self.input.take_source(),
        };
        self.input.buffer.borrow_mut().give_up(Error::Closed);
        self.set_aside(buffered.len());
        self.given.set(true);
        // A connection that has ended no longer keeps the background running.
        self.engine.platform().start();
        Ok(InputRest {
            given: Given(self.clone()),
            buffered,
            incoming,
            failure,
        })
    }

    /// Combines the result of the copying with the outcome of the connection: the first reason counts for both.
    fn one_reason(&self, result: Result<(), Error>) -> Result<(), Error> {
        match (self.outcome(), result) {
            // A close by this side is no failure of input that was handed over before.
            (Some(Err(loss @ (Error::Network(_) | Error::Tls(_)))), _) => Err(loss),
            (_, Err(error @ (Error::Network(_) | Error::Tls(_)))) => {
                self.lost(error.clone());
                Err(error)
            }
            (_, result) => result,
        }
    }

    /// Waits until this side aborts the connection. Returns the error of later calls.
    async fn aborted(&self) -> Error {
        let check = || match self.outcome() {
            Some(Err(error @ (Error::Closed | Error::DeadlineExceeded))) => Some(error),
            _ => None,
        };
        self.output.changed.until(check).await
    }

    /// Waits until the next check of the stream's reader is due. The first is due at this side's close, later ones
    /// after [`PROBE`] each.
    ///
    /// While the peer is silent, only a write shows that the reader is gone. Before the close that does no harm.
    async fn probe(&self, probed: &mut bool) {
        if *probed {
            self.engine.sleep(PROBE).await;
        } else {
            let closed = || self.closed.get().then_some(());
            self.output.changed.until(closed).await;
            *probed = true;
        }
    }
}

impl InputRest {
    /// Copies the input to a stream; buffered bytes are copied even if the connection ends. Returns how the input
    /// ended, and a guard that keeps the connection counted. Drop the guard once the outcome was read.
    pub async fn copy_to(self, mut to: Box<dyn Sink>) -> (Result<(), Error>, Given) {
        let InputRest {
            given,
            buffered,
            incoming,
            failure,
        } = self;
        let connection = &given.0;
        let result = copy(connection, buffered, incoming, failure, &mut *to).await;
        // The stream ends before its outcome becomes readable.
        drop(to);
        let result = connection.one_reason(result);
        (result, given)
    }
}

async fn copy(
    connection: &Rc<Connection>,
    buffered: Vec<u8>,
    incoming: Option<Incoming>,
    failure: Option<Error>,
    to: &mut dyn Sink,
) -> Result<(), Error> {
    let wanted = write(to, buffered).await;
    to.take_buffer();
    connection.set_aside(0);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let Some(incoming) = incoming else {
        return Ok(());
    };
    let _away = Away(connection.clone());
    let copying = pin!(copy_input(connection, incoming, to, wanted));
    // After a close only `idle` ends a silent stream.
    let (aborted, idle) = (
        pin!(connection.aborted()),
        pin!(connection.activity.expired()),
    );
    match select(copying, select(aborted, idle)).await {
        Either::Left(result) => result,
        Either::Right(Either::Left(error)) => Err(error),
        Either::Right(Either::Right(_)) => Err(Error::DeadlineExceeded),
    }
}

/// Copies input until either side ends. Discards the rest.
async fn copy_input(
    connection: &Connection,
    mut incoming: Incoming,
    to: &mut dyn Sink,
    mut wanted: bool,
) -> Result<(), Error> {
    let mut flows = false;
    let mut probed = false;
    // Read only while the stream's reader waits: otherwise the bytes would stay in memory.
    while wanted && (flows || transport::wanted(to).await.is_ok()) {
        let piece = {
            let reading = pin!(next_piece(&mut incoming, flows));
            match select(reading, pin!(connection.probe(&mut probed))).await {
                Either::Left(piece) => piece,
                Either::Right(_) => {
                    flows = false;
                    continue;
                }
            }
        };
        let Some(piece) = piece else {
            return incoming.outcome().await;
        };
        connection.note_input();
        connection.set_aside(piece.capacity());
        let much = piece.len() >= HAND_ON;
        wanted = write(to, piece).await;
        connection.engine.buffers().give_back(to.take_buffer());
        connection.set_aside(0);
        // Read ahead only while the component's quota has room.
        flows = much && connection.room() >= BULK;
    }
    *connection.input.source.borrow_mut() = Slot::Here(incoming);
    connection.drop_reader();
    Ok(())
}

impl Drop for Given {
    fn drop(&mut self) {
        self.0.given.set(false);
        self.0.mark_dirty();
    }
}

/// Reads the next input; in large pieces where the input flows.
async fn next_piece(incoming: &mut Incoming, flows: bool) -> Option<Vec<u8>> {
    if flows {
        incoming.read_up_to(BULK).await
    } else {
        incoming.read_next().await
    }
}

/// Writes a piece. Returns whether the stream still has a reader.
async fn write(to: &mut dyn Sink, bytes: Vec<u8>) -> bool {
    bytes.is_empty() || transport::write_all(to, bytes, |_| {}).await.is_ok()
}
