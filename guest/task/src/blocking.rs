//! The calls of the host that block the component, and what follows for the calls to it.
//!
//! WASI 0.3 hosts cancel a pending operation by a call that returns when the operation has ended; the form that does not block
//! is not enabled in wasmtime. While the component blocks, the host holds back the async calls to it: their callers take them for
//! pending, and they have not begun. So operations are cancelled only when their owner goes, and in the background.

use std::cell::Cell;

use crate::background;

thread_local! {
    /// How often the component has blocked since calls that were held back may still be about to start.
    static RECENTLY: Cell<u32> = const { Cell::new(0) };
}

/// Makes a call of the host that blocks. Only in async calls and in the background.
pub(crate) fn block<T>(call: impl FnOnce() -> T) -> T {
    RECENTLY.set(RECENTLY.get().saturating_add(1));
    let result = call();
    // The host starts what it held back when this turn ends, and before it continues what has yielded.
    background::spawn(async {
        wit_bindgen::yield_async().await;
        debug_assert!(RECENTLY.get() > 0);
        RECENTLY.set(RECENTLY.get().saturating_sub(1));
    });
    result
}

/// Whether a call that starts now may have been held back.
pub(crate) fn call_may_be_late() -> bool {
    RECENTLY.get() > 0
}
