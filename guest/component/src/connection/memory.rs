//! How many bytes all connections hold together.
//!
//! Each connection has bounds of its own, `max-result` and `max-queued`; but a hundred peers at theirs would be more than a
//! linear memory has, and an allocation that fails is a trap. So those that hold much take no more while all together hold
//! too much. Those that hold little go on: what a crowd of peers sends is no reason to stop serving the others.

use std::cell::Cell;

/// Bytes that all connections of the component may hold: unread, and unsent. A linear memory has 4 GiB; buffers that grow
/// take twice what they hold for a moment, and a result that is handed out is a copy.
const MOST: usize = 768 * 1024 * 1024;

/// Bytes that a connection may hold however much the others do. As many connections as there may be stay below a gigabyte
/// with it.
const LITTLE: usize = 128 * 1024;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// What one connection holds, as part of what all do.
#[derive(Default)]
pub(super) struct Weight(Cell<usize>);

impl Weight {
    /// The connection holds so many bytes now.
    pub(super) fn set(&self, bytes: usize) {
        let before = self.0.replace(bytes);
        HELD.set(HELD.get().saturating_sub(before).saturating_add(bytes));
    }

    /// How many bytes more it may take.
    pub(super) fn room(&self) -> usize {
        let of_all = MOST.saturating_sub(HELD.get());
        let of_its_own = LITTLE.saturating_sub(self.0.get());
        of_all.max(of_its_own)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_little_goes_on_when_others_hold_all() {
        let (greedy, modest) = (Weight::default(), Weight::default());
        greedy.set(MOST);
        assert_eq!(greedy.room(), 0);
        assert_eq!(modest.room(), LITTLE);
        modest.set(LITTLE);
        assert_eq!(modest.room(), 0);
        drop(greedy);
        assert_eq!(modest.room(), MOST - LITTLE);
    }
}
