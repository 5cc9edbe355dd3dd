//! How many bytes all connections hold together.
//!
//! Each connection has bounds of its own, `max-result` and `max-queued`; but a hundred peers at theirs would be more than a
//! linear memory has, and an allocation that fails is a trap. So connections that hold much take no more while all together
//! hold too much. Those that hold little go on: a crowd of peers is no reason to stop serving the others.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes that a connection may hold however much the others do. As many connections as there may be stay below a gigabyte
/// with it.
const LITTLE: usize = 128 * 1024;

/// The buffered bytes of one engine.
pub(crate) struct MemoryQuota {
    limit: usize,
    held: Cell<usize>,
}

/// What one connection holds of them.
pub(crate) struct MemoryPermit {
    quota: Rc<MemoryQuota>,
    held: Cell<usize>,
}

impl MemoryQuota {
    pub(crate) fn new(limit: usize) -> Rc<Self> {
        Rc::new(MemoryQuota {
            limit,
            held: Cell::new(0),
        })
    }

    /// Returns a permit for a connection that holds nothing yet.
    pub(crate) fn permit(self: &Rc<Self>) -> MemoryPermit {
        MemoryPermit {
            quota: self.clone(),
            held: Cell::new(0),
        }
    }

    /// Returns how many bytes are held.
    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }
}

impl MemoryPermit {
    /// Counts so many bytes from now on.
    pub(crate) fn set(&self, bytes: usize) {
        let before = self.held.replace(bytes);
        let held = &self.quota.held;
        held.set(held.get().saturating_sub(before).saturating_add(bytes));
    }

    /// Counts so many bytes less than before.
    pub(crate) fn less(&self, bytes: usize) {
        self.set(self.held.get().saturating_sub(bytes));
    }

    /// Returns how many bytes more the connection may take.
    pub(crate) fn room(&self) -> usize {
        let of_all = self.quota.limit.saturating_sub(self.quota.held.get());
        let of_its_own = LITTLE.saturating_sub(self.held.get());
        of_all.max(of_its_own)
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_holds_little_goes_on_when_others_hold_all() {
        const MOST: usize = 768 * 1024 * 1024;
        let quota = MemoryQuota::new(MOST);
        let (greedy, modest) = (quota.permit(), quota.permit());
        greedy.set(MOST);
        assert_eq!(greedy.room(), 0);
        assert_eq!(modest.room(), LITTLE);
        modest.set(LITTLE);
        assert_eq!(modest.room(), 0);
        drop(greedy);
        assert_eq!(modest.room(), MOST - LITTLE);
    }
}
