//! The buffers that input is read into.
//!
//! A read that waits needs its buffer from the beginning. So the first few reads that wait have large ones; in a crowd of
//! idle connections the others wait with little.

use std::cell::{Cell, RefCell};
use std::thread::LocalKey;

use futures::FutureExt;

use super::plain;

/// Bytes asked of the transport at once. The system's receive buffers are of this order.
pub(crate) const LARGE: usize = 64 * 1024;

/// The same for a connection of the crowd: what a message has.
const SMALL: usize = 1024;

/// The same for one of a large crowd: what ten thousand can have. A message that does not fit takes a read more.
const TINY: usize = 64;

/// The same for a stream that is given away or sent, once it flows.
pub(crate) const BULK: usize = 256 * 1024;

/// How many reads may wait with a large buffer: they hold 8 MiB at the most.
const MOST: usize = 32;

/// How many more, where the last read was full: 24 MiB at the most, and 6 MiB unless streams are given away or sent.
const MOST_FLOWING: usize = 96;

/// How many more may wait with room for a message: half a megabyte.
const CROWD: usize = 500;

/// Bytes from which a read's buffer is handed on instead of copied: below, the copy is cheaper than the memory that a
/// mostly empty buffer would hold.
pub(crate) const HAND_ON: usize = LARGE / 2;

thread_local! {
    /// How many reads wait with a large buffer.
    static WITH_LARGE: Cell<usize> = const { Cell::new(0) };
    /// How many with a small one.
    static WITH_SMALL: Cell<usize> = const { Cell::new(0) };
    /// Large buffers that no read needs at the moment.
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Reads what comes next, into a buffer of `size` bytes unless too many reads wait with such; `None` at the end.
pub(super) async fn read(incoming: &mut plain::Incoming, size: usize) -> Option<Vec<u8>> {
    let mut bytes = read_one(incoming, size).await?;
    // More input has usually arrived when a small buffer is full. A separate answer to it would wait for a delayed ACK.
    if incoming.last_was_full()
        && bytes.len() <= SMALL
        && size > SMALL
        && let Some(Some(rest)) =
            read_one(incoming, size.saturating_sub(bytes.len())).now_or_never()
    {
        bytes.extend_from_slice(&rest);
        give_back(rest);
    }
    Some(bytes)
}

async fn read_one(incoming: &mut plain::Incoming, size: usize) -> Option<Vec<u8>> {
    // There is probably more where the last read filled its buffer.
    let most = if incoming.last_was_full() {
        MOST.saturating_add(MOST_FLOWING)
    } else {
        MOST
    };
    incoming
        .read(|| match Permit::take(&WITH_LARGE, most) {
            Some(permit) => (take(size), Some(permit)),
            None => waiting_in_a_crowd(size),
        })
        .await
}

/// The buffer and the permit of a read that waits in a crowd.
pub(super) fn waiting_in_a_crowd(size: usize) -> (Vec<u8>, Option<Permit>) {
    let permit = Permit::take(&WITH_SMALL, CROWD);
    let room = if permit.is_some() { SMALL } else { TINY };
    (Vec::with_capacity(room.min(size)), permit)
}

/// Keeps a buffer for a later read. What it holds is no longer needed.
pub(crate) fn give_back(mut buffer: Vec<u8>) {
    FREE.with_borrow_mut(|free| {
        if buffer.capacity() >= LARGE && free.len() < MOST {
            buffer.clear();
            free.push(buffer);
        }
    });
}

/// An empty buffer of `size` bytes: a larger one would take more than there is room for.
pub(super) fn take(size: usize) -> Vec<u8> {
    FREE.with_borrow_mut(|free| {
        let place = free.iter().position(|buffer| buffer.capacity() == size)?;
        Some(free.swap_remove(place))
    })
    .unwrap_or_else(|| Vec::with_capacity(size))
}

/// A read that waits, and is counted.
pub(crate) struct Permit(&'static LocalKey<Cell<usize>>);

impl Permit {
    /// `None` when there are as many as there may be.
    fn take(count: &'static LocalKey<Cell<usize>>, most: usize) -> Option<Self> {
        let others = count.get();
        (others < most).then(|| {
            count.set(others.saturating_add(1));
            Permit(count)
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        debug_assert!(self.0.get() > 0);
        self.0.set(self.0.get().saturating_sub(1));
    }
}
