//! A wait of the host's monotonic clock that is never cancelled.

use std::task::{Context, Poll};

use crate::abi;
use crate::call;
use crate::operation::Operation;

/// A wait that was started. Nothing may drop it before its time has come: cancelling blocks.
pub struct ClockWait {
    operation: Operation,
}

impl ClockWait {
    /// Starts to wait for a moment on the clock, in nanoseconds; `None` when it has come.
    pub fn until(moment: u64) -> Option<Self> {
        // SAFETY: A call of the host without pointers.
        let handle = unsafe { abi::clock_wait_until(moment) } >> 4;
        (handle != 0).then(|| ClockWait {
            operation: Operation::of_call(handle),
        })
    }

    /// Polls for the moment.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        loop {
            match self.operation.poll(cx) {
                Poll::Ready(code) if call::is_final(code) => return Poll::Ready(()),
                Poll::Ready(_) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Leaves the task that polls it, which can end then.
    pub fn leave(&mut self) {
        self.operation.leave();
    }
}
