//! An imported async call, as generated code makes it.
//!
//! It replaces wit-bindgen's for two reasons. First, the task drops the handle of a call when it receives the event
//! that ends the call (`operation`). Second, the streams component cancels a dropped call in the background, because
//! cancelling blocks. A program cancels it at once: after the drop, the call has ended.

use std::alloc::Layout;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::abi;
use crate::background;
use crate::blocking::{block, cancels_in_background};
use crate::operation::Operation;
use crate::spawned::BoxFuture;
use crate::stream::Block;

/// The states of a call (Component Model, `Subtask.State`).
const STARTING: u32 = 0;
const STARTED: u32 = 1;
const RETURNED: u32 = 2;
const CANCELLED_BEFORE_STARTED: u32 = 3;

/// Returns whether a call in the state `code` has ended.
pub(crate) fn is_final(code: u32) -> bool {
    code != STARTING && code != STARTED
}

/// A call, as generated code describes it.
///
/// # Safety
///
/// As for wit-bindgen's trait of this name, of which this is a copy. The type has no fields except a marker.
#[doc(hidden)]
pub unsafe trait Subtask {
    /// The parameters.
    type Params;
    /// The values that the imported function takes: a few of the lowered parameters, or a pointer to them.
    type ParamsLower: Copy;
    /// The results.
    type Results;

    /// Returns the layout of the memory for the parameters and, behind them, the results.
    fn abi_layout(&mut self) -> Layout;

    /// Returns the offset of the results in that memory, in bytes.
    fn results_offset(&mut self) -> usize;

    /// Calls the imported function; returns the call's handle and state, packed as the component model says.
    unsafe fn call_import(&mut self, params: Self::ParamsLower, results: *mut u8) -> u32;

    /// Lowers the parameters, into the memory `to` if they do not fit into values.
    unsafe fn params_lower(&mut self, params: Self::Params, to: *mut u8) -> Self::ParamsLower;

    /// Frees the lists among the lowered parameters, after the callee has taken the parameters.
    unsafe fn params_dealloc_lists(&mut self, lower: Self::ParamsLower);

    /// Frees the lists and drops the owned resources among the lowered parameters, which the callee has not taken.
    unsafe fn params_dealloc_lists_and_own(&mut self, lower: Self::ParamsLower);

    /// Lifts the results from the memory `from`.
    unsafe fn results_lift(&mut self, from: *mut u8) -> Self::Results;

    /// Calls, and waits for the results. Dropping the future cancels the call.
    fn call(&mut self, params: Self::Params) -> impl Future<Output = Self::Results>
    where
        Self: Sized,
    {
        async move {
            const {
                assert!(
                    size_of::<Self>() == 0,
                    "generated types of calls are markers"
                )
            };
            // SAFETY: The type has no size, so the copy reads no memory, and it has no destructor that could run twice.
            let of = unsafe { std::ptr::read(self) };
            Call::start(of, params).await
        }
    }
}

/// A call whose results were not taken yet.
struct Call<T: Subtask>(Option<Pending<T>>);

struct Pending<T: Subtask> {
    /// The call's handle, and the operation that completes when the call ends.
    handle: u32,
    operation: Operation,
    of: T,
    lower: T::ParamsLower,
    /// The parameters and the results, where the host reads and writes them.
    memory: Block,
    /// The lists among the parameters were freed.
    started: bool,
    code: u32,
}

impl<T: Subtask> Call<T> {
    fn start(mut of: T, params: T::Params) -> Self {
        let memory = Block::new(of.abi_layout(), 1);
        let results = memory.at().wrapping_add(of.results_offset());
        // SAFETY: There is room for both, and it does not move until the call has ended.
        let (lower, packed) = unsafe {
            let lower = of.params_lower(params, memory.at());
            (lower, of.call_import(lower, results))
        };
        let mut pending = Pending {
            handle: packed >> 4,
            operation: Operation::of_call(packed >> 4),
            of,
            lower,
            memory,
            started: false,
            code: STARTING,
        };
        pending.note(packed & 0xf);
        Call(Some(pending))
    }
}

impl<T: Subtask> Pending<T> {
    /// Records that the call has changed to the state `code`.
    fn note(&mut self, code: u32) {
        self.code = code;
        if code == CANCELLED_BEFORE_STARTED {
            // SAFETY: The host has taken nothing, so this side still owns everything in the parameters.
            unsafe { self.of.params_dealloc_lists_and_own(self.lower) };
        } else if code != STARTING && !self.started {
            self.started = true;
            // SAFETY: The host has read the parameters.
            unsafe { self.of.params_dealloc_lists(self.lower) };
        }
    }

    fn has_ended(&self) -> bool {
        is_final(self.code)
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        while !self.has_ended() {
            match self.operation.poll(cx) {
                Poll::Ready(code) => self.note(code),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Returns the results of a call that has ended; `None` if it was cancelled.
    fn results(&mut self) -> Option<T::Results> {
        let from = self.memory.at().wrapping_add(self.of.results_offset());
        // SAFETY: The host has written the results.
        (self.code == RETURNED).then(|| unsafe { self.of.results_lift(from) })
    }

    /// Makes the host end the call. Blocks.
    fn cancel(&mut self) {
        // SAFETY: The call has not ended, its event was not delivered, and it is in no set.
        let code = block(|| unsafe { abi::call_cancel(self.handle) });
        self.operation.call_has_ended();
        self.note(code);
        debug_assert!(self.has_ended());
    }
}

impl<T: Subtask> Unpin for Call<T> {}

impl<T: Subtask> Future for Call<T> {
    type Output = T::Results;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Results> {
        let Some(pending) = self.0.as_mut() else {
            return Poll::Pending;
        };
        if pending.poll(cx).is_pending() {
            return Poll::Pending;
        }
        let results = pending.results();
        self.0 = None;
        // Only dropping a call cancels it.
        debug_assert!(
            results.is_some(),
            "a call ended as cancelled that was not dropped"
        );
        results.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T: Subtask> Drop for Call<T> {
    fn drop(&mut self) {
        let Some(mut pending) = self.0.take() else {
            return;
        };
        pending.operation.leave();
        if let Some(code) = pending.operation.take_arrived() {
            pending.note(code);
        }
        if pending.has_ended() {
            drop(pending.results());
            return;
        }
        if !cancels_in_background() {
            pending.cancel();
            drop(pending.results());
            return;
        }
        let end: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(async move {
            pending.cancel();
            drop(pending.results());
        });
        // SAFETY: A generated type of a call has a lifetime for the parameters that it borrows. They were lowered to
        // numbers and to memory of this crate, and nothing after the cancelling uses the originals. `Late` keeps the
        // resources that were lent by handle.
        let end: BoxFuture = unsafe { std::mem::transmute(end) };
        background::reap(end);
    }
}
