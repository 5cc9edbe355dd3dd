//! The quota of bytes that all connections hold together.
//!
//! Each connection has its own bounds, `max-result` and `max-queued`. But a hundred connections at their bounds would
//! exceed a linear memory, and a failed allocation is a trap. So while the total is too large, connections that hold
//! much take no more. Those that hold little continue: a crowd of peers must not stop the service of others.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes that a connection may hold regardless of the others. With it, the most connections that can be open stay below
/// a gigabyte.
const LITTLE: usize = 128 * 1024;

/// The buffered bytes of one engine.
pub(crate) struct MemoryQuota {
    limit: usize,
    held: Cell<usize>,
}

/// One connection's share of the quota.
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

    /// Returns how many bytes all connections hold.
    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }
}

impl MemoryPermit {
    /// Sets how many bytes the connection holds.
    pub(crate) fn set(&self, bytes: usize) {
        let before = self.held.replace(bytes);
        let held = &self.quota.held;
        held.set(held.get().saturating_sub(before).saturating_add(bytes));
    }

    /// Counts fewer bytes than before, by `bytes`.
    pub(crate) fn less(&self, bytes: usize) {
        self.set(self.held.get().saturating_sub(bytes));
    }

    /// Returns how many more bytes the connection may take.
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
    fn a_connection_that_holds_little_continues_when_others_use_the_whole_quota() {
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
