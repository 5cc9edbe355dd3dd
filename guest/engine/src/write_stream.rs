//! `write-stream`: queues all bytes of a stream after those already queued.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use crate::connection::Connection;
use crate::engine::Coop;
use crate::read_buffers::{BULK, HAND_ON, LARGE};
use crate::select::{Either, select};
use crate::transport::Incoming;
use crate::types::Error;

/// The number of pieces that are moved before other tasks run.
const TURN: u32 = 16;

/// Queues all bytes of `data`. Returns how many were taken, and the result. All taken bytes are queued, or lost with
/// the connection.
///
/// A dropped call queues the bytes that it has taken too.
pub(crate) async fn run(connection: &Rc<Connection>, data: Incoming) -> (u64, Result<(), Error>) {
    let _streaming = match connection.output.streaming.enter() {
        Ok(streaming) => streaming,
        Err(busy) => return (0, Err(busy)),
    };
    let mut moving = Moving {
        connection,
        data: Some(data),
        taken: Cell::new(0),
    };
    let result = {
        let all = pin!(moving.move_all());
        let interrupted = pin!(interruption(connection));
        match select(all, interrupted).await {
            Either::Left(result) => result,
            Either::Right(error) => Err(error),
        }
    };
    moving.stop();
    (moving.taken.get(), result)
}

/// Waits until there is a reason to stop.
async fn interruption(connection: &Connection) -> Error {
    let round = connection.output.cancels.write_stream.begin();
    let check = || round.check().err().or_else(|| refusal(connection));
    connection.output.changed.until(check).await
}

/// Returns the reason why nothing more can be queued.
fn refusal(connection: &Connection) -> Option<Error> {
    connection
        .output
        .queue
        .borrow()
        .writable()
        .err()
        .map(Error::from)
}

/// The move of bytes from the program's stream to the queue.
struct Moving<'a> {
    connection: &'a Rc<Connection>,
    data: Option<Incoming>,
    taken: Cell<u64>,
}

impl Moving<'_> {
    async fn move_all(&mut self) -> Result<(), Error> {
        let connection = self.connection;
        if let Some(error) = refusal(connection) {
            return Err(error);
        }
        let mut coop = Coop::new(TURN);
        // Large pieces arrive, so the next read gets a large buffer.
        let mut flows = false;
        loop {
            let largest = if flows { BULK } else { LARGE };
            let room = room_left(connection).await?.min(largest);
            let Some(data) = self.data.as_mut() else {
                break;
            };
            // Wait before reading: a waiting read could take bytes that an earlier close would lose.
            if !data.readable().await {
                break;
            }
            // After a close that came meanwhile, the queue would refuse the bytes of a read.
            if let Some(error) = refusal(connection) {
                return Err(error);
            }
            let Some(bytes) = data.read_up_to(room).await else {
                break;
            };
            flows = bytes.len() >= HAND_ON;
            self.taken
                .set(self.taken.get().saturating_add(bytes.len() as u64));
            let queued = queue(connection, bytes);
            connection.flush_now();
            queued?;
            coop.spend(&connection.engine).await;
        }
        room_left(connection).await.map(drop)
    }

    /// Queues the bytes of an interrupted read.
    fn stop(&mut self) {
        let Some(data) = self.data.as_mut() else {
            return;
        };
        if let Some(bytes) = data.stop() {
            self.taken
                .set(self.taken.get().saturating_add(bytes.len() as u64));
            // Only a lost connection refuses them; then these bytes are lost with it.
            let _ = queue(self.connection, bytes);
        }
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        if let Some(data) = self.data.take() {
            let connection = self.connection.clone();
            data.stop_then(move |bytes| {
                // As above.
                let _ = queue(&connection, bytes);
            });
            // A drop must not write: the driver sends the queue.
            self.connection.mark_dirty();
        }
    }
}

fn queue(connection: &Connection, bytes: Vec<u8>) -> Result<(), Error> {
    connection.output.queue.borrow_mut().write(bytes)?;
    connection.weigh();
    connection.mark_dirty();
    Ok(())
}

/// Waits until the output is below its mark. Returns how many bytes it has room for, at least one.
async fn room_left(connection: &Connection) -> Result<usize, Error> {
    let check = || {
        let output = connection.output.queue.borrow();
        match output.drain_ready() {
            Err(error) => Some(Err(error)),
            // Only other connections can free this memory, and nothing wakes this wait when they do.
            Ok(_) if connection.room() == 0 => Some(Err(Error::BufferFull)),
            Ok(ready) => {
                let room = output.room().min(connection.room());
                (ready && room > 0).then_some(Ok(room))
            }
        }
    };
    connection.output.changed.until(check).await
}
