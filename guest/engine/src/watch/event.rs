//! Something to wait for.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::types::Error;

/// Something that can be waited for, any number of times.
///
/// It does not keep its reader, writer or server open. The code that drops one of these removes its events, or
/// [ends](super::Watch::end) them.
pub struct Event(Box<dyn Repeated>);

impl Event {
    pub(crate) fn new<F: Future<Output = Result<(), Error>> + 'static>(
        begin: impl Fn() -> F + 'static,
    ) -> Self {
        Event(Box::new(Repeating {
            begin,
            wait: Box::pin(None),
        }))
    }

    /// Begins the wait, in place of an earlier one. It is pending from its first poll on.
    pub fn begin(&mut self) {
        self.0.begin();
    }

    /// Polls the wait that was begun. After its end it is not polled again, unless it begins again.
    ///
    /// # Errors
    ///
    /// Those of the call that waits for the same: of [`Reader::wait`](crate::Reader::wait), for example.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll(cx)
    }

    /// Drops the wait, which takes nothing with it.
    pub fn end(&mut self) {
        self.0.end();
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").finish_non_exhaustive()
    }
}

trait Repeated {
    fn begin(&mut self);
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;
    fn end(&mut self);
}

/// A wait that begins again in the same memory: an event that comes often allocates nothing.
struct Repeating<B, F> {
    begin: B,
    wait: Pin<Box<Option<F>>>,
}

impl<B: Fn() -> F, F: Future<Output = Result<(), Error>>> Repeated for Repeating<B, F> {
    fn begin(&mut self) {
        self.wait.set(Some((self.begin)()));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.wait.as_mut().as_pin_mut() {
            Some(wait) => wait.poll(cx),
            None => Poll::Pending,
        }
    }

    fn end(&mut self) {
        self.wait.set(None);
    }
}
