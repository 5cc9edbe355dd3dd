//! The buffers that input is read into.
//!
//! A read that waits needs its buffer from the beginning. So the first few reads that wait have large ones; in a crowd of
//! idle connections the others wait with little.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Bytes asked of a source at once. The system's receive buffers are of this order.
pub(crate) const LARGE: usize = 64 * 1024;

/// The same for a connection in a crowd: the size of a message.
pub(super) const SMALL: usize = 1024;

/// The same in a large crowd of ten thousand. A message that does not fit takes one more read.
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

/// The read buffers of one engine.
#[derive(Clone, Default)]
pub(crate) struct ReadBuffers(Rc<Buffers>);

#[derive(Default)]
struct Buffers {
    /// How many reads wait with a large buffer.
    large: Cell<usize>,
    /// How many wait with a small one.
    small: Cell<usize>,
    /// Large buffers that no read needs at the moment.
    free: RefCell<Vec<Vec<u8>>>,
}

impl ReadBuffers {
    /// Keeps a buffer for a later read. Its contents are dropped.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut free = self.0.free.borrow_mut();
        if buffer.capacity() >= LARGE && free.len() < MOST {
            buffer.clear();
            free.push(buffer);
        }
    }

    /// Returns an empty buffer of `size` bytes: a larger one would take more than there is room for.
    fn take(&self, size: usize) -> Vec<u8> {
        let mut free = self.0.free.borrow_mut();
        match free.iter().position(|buffer| buffer.capacity() == size) {
            Some(place) => free.swap_remove(place),
            None => Vec::with_capacity(size),
        }
    }

    fn permit(&self, kind: Kind, most: usize) -> Option<Permit> {
        let count = self.count(kind);
        let others = count.get();
        (others < most).then(|| {
            count.set(others.saturating_add(1));
            Permit(Some((self.clone(), kind)))
        })
    }

    fn count(&self, kind: Kind) -> &Cell<usize> {
        match kind {
            Kind::Large => &self.0.large,
            Kind::Small => &self.0.small,
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Large,
    Small,
}

/// Where a source may read to.
pub struct Room<'a> {
    buffers: &'a ReadBuffers,
    size: usize,
    /// Whether there is probably more, since the last read filled its buffer.
    flows: bool,
    crowd: bool,
}

impl<'a> Room<'a> {
    pub(super) fn new(buffers: &'a ReadBuffers, size: usize, flows: bool) -> Self {
        Room {
            buffers,
            size,
            flows,
            crowd: false,
        }
    }

    pub(super) fn in_a_crowd(buffers: &'a ReadBuffers) -> Self {
        Room {
            buffers,
            size: LARGE,
            flows: false,
            crowd: true,
        }
    }

    /// Returns a buffer for a read that may wait. The permit is dropped when the read has ended.
    pub fn for_wait(&self) -> (Vec<u8>, Permit) {
        let most = if self.flows {
            MOST.saturating_add(MOST_FLOWING)
        } else {
            MOST
        };
        let large = if self.crowd {
            None
        } else {
            self.buffers.permit(Kind::Large, most)
        };
        if let Some(permit) = large {
            return (self.buffers.take(self.size), permit);
        }
        let small = self.buffers.permit(Kind::Small, CROWD);
        let room = if small.is_some() { SMALL } else { TINY };
        let permit = small.unwrap_or_default();
        (Vec::with_capacity(room.min(self.size)), permit)
    }

    /// Returns a buffer for bytes that are there already.
    pub fn for_ready(&self) -> Vec<u8> {
        self.buffers.take(self.size)
    }
}

/// Counts a read that waits. Dropping it ends that.
#[derive(Default)]
pub struct Permit(Option<(ReadBuffers, Kind)>);

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some((buffers, kind)) = &self.0 {
            let count = buffers.count(*kind);
            debug_assert!(count.get() > 0, "each permit is counted once");
            count.set(count.get().saturating_sub(1));
        }
    }
}
