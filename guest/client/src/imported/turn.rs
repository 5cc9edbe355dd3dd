//! Turns: how long what a call of the component said stays true.

use std::cell::Cell;

thread_local! {
    static TURN: Cell<u32> = const { Cell::new(0) };
}

/// A turn of the program. The known state of a connection stays valid for the same turn, because nothing else runs.
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
