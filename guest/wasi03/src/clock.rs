//! A wait of the host's monotonic clock that is never cancelled.

use std::task::{Context, Poll};

use crate::abi;
use crate::call;
use crate::operation::Operation;

/// A pending wait. It must not be dropped before its time has come: cancelling blocks.
pub struct ClockWait {
    operation: Operation,
}

impl ClockWait {
    /// Starts to wait for a time of the clock, in nanoseconds. Returns `None` if it has passed.
    pub fn until(moment: u64) -> Option<Self> {
        // SAFETY: A call of the host without pointers.
        let handle = unsafe { abi::clock_wait_until(moment) } >> 4;
        (handle != 0).then(|| ClockWait {
            operation: Operation::of_call(handle),
        })
    }

    /// Polls until the time has come.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        loop {
            match self.operation.poll(cx) {
                Poll::Ready(code) if call::is_final(code) => return Poll::Ready(()),
                Poll::Ready(_) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes the wait out of the set of the task that polls it, so that the task can end.
    pub fn leave(&mut self) {
        self.operation.leave();
    }
}
