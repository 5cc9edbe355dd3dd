//! A call that goes on between two polls.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::Error;

/// The call that a poll began and the next one asks for: a poll returns no future that could own
/// it.
///
/// It must be dropped before the resource that it is a call on.
#[derive(Default)]
pub(crate) struct Parked {
    slot: RefCell<Option<(Call, Waker)>>,
}

type Call = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

impl Parked {
    /// Polls the call. None if there is none.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        // Taken out, since whatever runs meanwhile may want to look.
        let Some((mut call, _)) = self.slot.take() else {
            return Poll::Ready(None);
        };
        match call.as_mut().poll(cx) {
            Poll::Pending => {
                self.slot.replace(Some((call, cx.waker().clone())));
                Poll::Pending
            }
            Poll::Ready(result) => Poll::Ready(Some(result)),
        }
    }

    /// Puts a call here, which the next poll begins.
    pub(crate) fn park(&self, call: impl Future<Output = Result<(), Error>> + 'static) {
        self.slot
            .replace(Some((Box::pin(call), Waker::noop().clone())));
    }

    /// Drops the call, and has the task that waits for it look again.
    pub(crate) fn drop_call(&self) {
        let parked = self.slot.take();
        if let Some((call, waker)) = parked {
            drop(call);
            waker.wake();
        }
    }
}

impl std::fmt::Debug for Parked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_pending = self.slot.borrow().is_some();
        f.debug_tuple("Parked").field(&is_pending).finish()
    }
}
