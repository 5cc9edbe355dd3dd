//! Waiting for one stream or socket to become ready.

use std::rc::Rc;
use std::task::{Context, Poll};

use crate::bindings::wasi::io::poll::Pollable;
use crate::reactor::{self, Wait};

/// The pollable of one stream or socket, made when it is first waited for. It must be dropped before the stream.
#[derive(Default)]
pub(crate) struct Interest {
    wait: Option<Rc<Wait>>,
    /// Its place in the reactor, while something waits.
    place: Option<usize>,
}

impl Interest {
    /// Polls whether the host has reported it as ready since it was last found to be.
    pub(crate) fn poll(
        &mut self,
        cx: &Context<'_>,
        subscribe: impl FnOnce() -> Pollable,
    ) -> Poll<()> {
        let wait = self.wait.get_or_insert_with(|| Wait::new(subscribe()));
        if wait.take_ready() {
            return Poll::Ready(());
        }
        wait.arm(cx.waker());
        if self.place.is_none() {
            self.place = Some(reactor::insert(wait.clone()));
        }
        Poll::Pending
    }

    /// Takes the wait out of the reactor, because no future polls it.
    pub(crate) fn leave(&mut self) {
        if let Some(wait) = &self.wait {
            wait.disarm();
        }
        if let Some(place) = self.place.take() {
            reactor::remove(place);
        }
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.leave();
    }
}
