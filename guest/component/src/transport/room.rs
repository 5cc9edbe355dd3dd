//! The room that input is read into.
//!
//! A read that waits needs its room from the beginning: asking first whether there is something, by a read of length
//! zero, costs a crossing more, and the answer may be out of date (wasmtime remembers that a socket was ready until a read
//! finds it empty). So the first few reads that wait have room for much; a crowd of idle connections waits without, and
//! reads into little when it is told to.

use std::cell::{Cell, RefCell};
use std::thread::LocalKey;

use super::plain;

/// Bytes asked of the transport at once. The system's receive buffers are of this order.
pub(crate) const LARGE: usize = 64 * 1024;

/// The same for a connection of the crowd: what a message has.
const SMALL: usize = 1024;

/// The same for one of a large crowd: what ten thousand can have. A message that does not fit takes a read more.
const TINY: usize = 64;

/// The same for a stream that is given away or sent, once it flows.
pub(crate) const BULK: usize = 256 * 1024;

/// How many reads may wait with room for much: they hold 8 MiB at the most.
const MOST: usize = 32;

/// How many more may wait with room for a message: half a megabyte.
const CROWD: usize = 500;

/// Bytes from which a read's room is handed on instead of copied: below, the copy is cheaper than the memory that a
/// mostly empty room would hold.
pub(crate) const HAND_ON: usize = LARGE / 2;

thread_local! {
    /// How many reads wait with large room.
    static WITH_LARGE: Cell<usize> = const { Cell::new(0) };
    /// How many with small room.
    static WITH_SMALL: Cell<usize> = const { Cell::new(0) };
    /// Large room that nobody needs at the moment.
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Reads what comes next, at most `most` bytes, into `room` unless too many wait; gives it to `took`, also when the call
/// is dropped. False at the end.
pub(super) async fn read(
    incoming: &mut plain::Incoming,
    most: usize,
    room: impl FnOnce() -> Vec<u8>,
    took: impl FnOnce(Vec<u8>),
) -> bool {
    let mut waiting = Waiting::begin(&WITH_LARGE, MOST);
    let room = if waiting.is_some() {
        room()
    } else if !incoming.ready().await {
        return false;
    } else if incoming.last_was_full() && most >= LARGE {
        take()
    } else {
        waiting = Waiting::begin(&WITH_SMALL, CROWD);
        let size = if waiting.is_some() { SMALL } else { TINY };
        Vec::with_capacity(size.min(most))
    };
    incoming
        .read(room, |bytes| {
            drop(waiting);
            took(bytes);
        })
        .await
}

/// Keeps room for the next read. What it holds is no longer needed.
pub(crate) fn give_back(mut room: Vec<u8>) {
    FREE.with_borrow_mut(|free| {
        if room.capacity() >= LARGE && free.len() < MOST {
            room.clear();
            free.push(room);
        }
    });
}

/// Large room, empty.
pub(super) fn take() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| Vec::with_capacity(LARGE))
}

/// A read that waits, and is counted.
struct Waiting(&'static LocalKey<Cell<usize>>);

impl Waiting {
    /// `None` when there are as many as there may be.
    fn begin(count: &'static LocalKey<Cell<usize>>, most: usize) -> Option<Self> {
        let others = count.get();
        (others < most).then(|| {
            count.set(others.saturating_add(1));
            Waiting(count)
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
