//! The buffers that input is read into.
//!
//! A read needs its buffer from its beginning, even while it waits. So only the first few waiting reads have large
//! buffers; in a crowd of idle connections the others have small ones.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The bytes of a usual read. The system's receive buffers are about as large.
pub(crate) const LARGE: usize = 64 * 1024;

/// The bytes of a read in a crowd: more than a usual message, which would otherwise fill it and seem to go on.
pub(crate) const SMALL: usize = 2048;

/// The bytes of a read beyond all these quotas, in a crowd of thousands. A larger message takes one more read.
const TINY: usize = 64;

/// The bytes of a read for `into-stream` and `write-stream`, once the stream flows.
pub(crate) const BULK: usize = 256 * 1024;

/// The number of reads that may wait with a large buffer: 2 MiB of usual ones, at most 8 MiB.
const MOST: usize = 32;

/// The number of further reads that may wait if their last read was full: 6 MiB of usual ones, at most 24 MiB.
const MOST_FLOWING: usize = 96;

/// The number of further reads that may wait with a buffer for a message: a megabyte.
const CROWD: usize = 500;

/// The size from which a read's buffer is passed on instead of copied. Below, a copy costs less than the memory that a
/// mostly empty buffer would hold.
pub(crate) const HAND_ON: usize = LARGE / 2;

/// The read buffers of one engine.
#[derive(Clone, Default)]
pub(crate) struct ReadBuffers(Rc<Buffers>);

#[derive(Default)]
struct Buffers {
    /// The number of reads that wait with a large buffer.
    large: Cell<usize>,
    /// The number of reads that wait with a small buffer.
    small: Cell<usize>,
    /// Large buffers that no read uses at the moment.
    free: RefCell<Vec<Vec<u8>>>,
}

impl ReadBuffers {
    /// Stores a buffer for a later read. Drops its contents.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut free = self.0.free.borrow_mut();
        if buffer.capacity() >= LARGE && free.len() < MOST {
            buffer.clear();
            free.push(buffer);
        }
    }

    /// Returns an empty buffer of exactly `size` bytes: a larger one could exceed the caller's room.
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

/// The buffers that a source may read into.
pub struct Room<'a> {
    buffers: &'a ReadBuffers,
    size: usize,
    /// Whether more input is likely, because the last read filled its buffer.
    flows: bool,
    crowd: bool,
}

impl<'a> Room<'a> {
    pub(crate) fn new(buffers: &'a ReadBuffers, size: usize, flows: bool) -> Self {
        Room {
            buffers,
            size,
            flows,
            crowd: false,
        }
    }

    pub(crate) fn in_a_crowd(buffers: &'a ReadBuffers) -> Self {
        Room {
            buffers,
            size: LARGE,
            flows: false,
            crowd: true,
        }
    }

    /// Returns a buffer for a read that may wait. Drop the permit when the read has ended.
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

    /// Returns a buffer for bytes that have arrived already.
    pub fn for_ready(&self) -> Vec<u8> {
        self.buffers.take(self.size)
    }
}

/// Counts a waiting read until it is dropped.
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
