//! `write-stream`: everything from a stream, after what is queued.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::connection::Connection;
use crate::driver;
use crate::transport::{Incoming, room};

/// Pieces in a row after which other tasks get a turn.
const TURN: u32 = 16;

/// Gives how many bytes were taken from `data`, and how it went. All of them are queued, or lost with the connection.
///
/// When the call is dropped, what it took is queued as well.
pub(super) async fn run(connection: &Rc<Connection>, data: Incoming) -> (u64, Result<(), Error>) {
    if connection.streaming.replace(true) {
        return (0, Err(Error::Busy));
    }
    let _turn = Turn(&connection.streaming);
    let taken = Cell::new(0);
    let result = {
        let moving = pin!(move_all(connection, data, &taken));
        let interrupted = pin!(interruption(connection));
        match select(moving, interrupted).await {
            Either::Left((result, _)) => result,
            Either::Right((error, _)) => Err(error),
        }
    };
    (taken.get(), result)
}

/// Waits until there is a reason not to go on.
async fn interruption(connection: &Connection) -> Error {
    let round = connection.cancels.write_stream.begin();
    let check = || round.check().err().or_else(|| refusal(connection));
    connection.output_changed.until(check).await
}

/// Why nothing more can be queued.
fn refusal(connection: &Connection) -> Option<Error> {
    connection.output.borrow().writable().err().map(Error::from)
}

async fn move_all(
    connection: &Connection,
    mut data: Incoming,
    taken: &Cell<u64>,
) -> Result<(), Error> {
    if let Some(error) = refusal(connection) {
        return Err(error);
    }
    let mut pieces: u32 = 0;
    // Much comes at a time, so the next read need not ask first.
    let mut flows = false;
    loop {
        let most = room_left(connection).await?.min(room::BULK);
        let mut result = Ok(());
        let mut size = 0;
        let took = |bytes: Vec<u8>| {
            size = bytes.len();
            taken.set(taken.get().saturating_add(bytes.len() as u64));
            result = connection.output.borrow_mut().write(bytes);
            connection.weigh();
        };
        let dropped = Dropped(connection);
        let more = if flows {
            let buffer = || Vec::with_capacity(most);
            data.read_much(most, buffer, took).await
        } else {
            data.ready().await && {
                let buffer = Vec::with_capacity(most.min(room::LARGE));
                data.read(buffer, took).await
            }
        };
        std::mem::forget(dropped);
        connection.flush_now();
        result?;
        if !more {
            break;
        }
        flows = size >= room::HAND_ON;
        pieces = pieces.wrapping_add(1);
        if pieces.is_multiple_of(TURN) {
            driver::yield_now().await;
        }
    }
    room_left(connection).await.map(drop)
}

/// Waits until the output is below its mark, and gives how many bytes it has room for: at least one.
async fn room_left(connection: &Connection) -> Result<usize, Error> {
    let check = || {
        let output = connection.output.borrow();
        match output.drain_ready() {
            Err(error) => Some(Err(error)),
            // Others would have to free it, and nothing here hears of that.
            Ok(_) if connection.room() == 0 => Some(Err(Error::BufferFull)),
            Ok(ready) => {
                let room = output.room().min(connection.room());
                (ready && room > 0).then_some(Ok(room))
            }
        }
    };
    connection.output_changed.until(check).await
}

/// Sees to it that what a read has queued goes out when the call is dropped, where nothing may be written.
struct Dropped<'a>(&'a Connection);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.output_queued();
    }
}

struct Turn<'a>(&'a Cell<bool>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
