//! Turns: how long what a call of the component said stays true.

use std::cell::Cell;

thread_local! {
    static TURN: Cell<u32> = const { Cell::new(0) };
}

/// A turn of the program. What a connection was known to be, it still is in the same turn: nothing else runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(u32);

impl Turn {
    /// The present one.
    pub(crate) fn now() -> Self {
        Turn(TURN.get())
    }

    /// Ends it: something waits, or acts on connections behind their writers' backs.
    pub(crate) fn end() {
        TURN.set(TURN.get().wrapping_add(1));
    }
}
