//! A wait of the host's monotonic clock that is never cancelled.

use std::task::{Context, Poll};

use crate::abi;
use crate::operation::Operation;

/// A wait that was started. Nothing may drop it before its time has come: cancelling blocks.
pub struct ClockWait {
    call: u32,
    operation: Operation,
}

impl ClockWait {
    /// Starts to wait for a moment on the clock, in nanoseconds; `None` when it has come.
    pub fn until(moment: u64) -> Option<Self> {
        // SAFETY: A call of the host without pointers.
        let call = unsafe { abi::clock_wait_until(moment) } >> 4;
        (call != 0).then(|| ClockWait {
            call,
            operation: Operation::new(call),
        })
    }

    /// Polls for the moment.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        loop {
            match self.operation.poll(cx) {
                Poll::Ready(code) if code == crate::call::STARTED => {}
                Poll::Ready(_) => {
                    // SAFETY: The call has returned, and its event was delivered.
                    unsafe { abi::call_drop(self.call) };
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Leaves the task that polls it, which can end then.
    pub fn leave(&mut self) {
        self.operation.leave();
    }
}
