//! Host calls that block the component, and their effect on calls to it.
//!
//! Cancelling a pending operation blocks until the operation has ended; wasmtime does not enable the form that does not
//! block. While the component blocks, the host holds back async calls to it: they are pending for their callers and
//! have not begun. So operations are cancelled only when their owner is dropped, and in the background.

use std::cell::Cell;

use crate::background;
use crate::task::next_turn;

thread_local! {
    /// Whether this component must not block.
    static AVOIDED: Cell<bool> = const { Cell::new(false) };
    /// The number of blocking calls that are so recent that the host may not have started the calls that it held back.
    static RECENTLY: Cell<u32> = const { Cell::new(0) };
}

/// Marks this component as one that must not block: it cancels in the background, and counts its blocking calls.
pub(crate) fn avoid() {
    AVOIDED.set(true);
}

/// Returns whether dropped calls are cancelled in the background.
pub(crate) fn cancels_in_background() -> bool {
    AVOIDED.get()
}

/// Makes a host call that blocks. Only in async calls and in the background.
pub(crate) fn block<T>(call: impl FnOnce() -> T) -> T {
    if !AVOIDED.get() {
        return call();
    }
    RECENTLY.set(RECENTLY.get().saturating_add(1));
    let result = call();
    // The host starts the calls it held back when this turn ends, before it continues tasks that have yielded.
    background::spawn(async {
        next_turn().await;
        debug_assert!(RECENTLY.get() > 0);
        RECENTLY.set(RECENTLY.get().saturating_sub(1));
    });
    result
}

/// Returns whether the call that has just started may have been held back, or has blocked. Then its caller has a
/// handle.
pub(crate) fn caller_may_have_a_handle() -> bool {
    RECENTLY.get() > 0
}
