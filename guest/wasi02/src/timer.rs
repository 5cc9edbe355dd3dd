//! Waiting for a moment.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use asyncio_streams_engine::ordered::Key;

use crate::bindings::wasi::clocks::monotonic_clock as clock;
use crate::reactor::{self, Reason};

/// Returns the time in nanoseconds.
pub(crate) fn now() -> u64 {
    clock::now()
}

/// A wait for a moment.
pub(crate) struct Sleep {
    moment: u64,
    /// A call waits for this alone.
    counts: bool,
    timer: Option<Key>,
}

impl Sleep {
    pub(crate) fn until(moment: u64) -> Self {
        Sleep {
            moment,
            counts: true,
            timer: None,
        }
    }

    /// Waits until a moment beside other waits: no call waits for this alone.
    pub(crate) fn beside_others(moment: u64) -> Self {
        Sleep {
            moment,
            counts: false,
            timer: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if now() >= self.moment {
            return Poll::Ready(());
        }
        if let Some(timer) = self.timer.take() {
            reactor::forget(timer);
        }
        let reason = self.counts.then(Reason::new);
        self.timer = Some(reactor::set_timer(self.moment, cx.waker().clone(), reason));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            reactor::forget(timer);
        }
    }
}
