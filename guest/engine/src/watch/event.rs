//! Something to wait for.

use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use crate::types::Error;

/// Something that can be waited for, any number of times.
///
/// It keeps neither its reader, writer or server open nor its connection in memory. The code that drops one of these removes
/// its events, or [ends](super::Watch::end) them.
pub struct Event(Box<dyn Repeated>);

impl Event {
    /// Creates the event of `of` for which the future of `begin` waits.
    pub(crate) fn new<T: 'static, F: Future<Output = Result<(), Error>> + 'static>(
        of: &Rc<T>,
        begin: impl Fn(Rc<T>) -> F + 'static,
    ) -> Self {
        Event(Box::new(Repeating {
            of: Rc::downgrade(of),
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
    /// Those of the call that waits for the same: of [`Reader::wait`](crate::Reader::wait), for example. `closed` if what it is
    /// of has gone.
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
struct Repeating<T, B, F> {
    of: Weak<T>,
    begin: B,
    wait: Pin<Box<Option<F>>>,
}

impl<T, B: Fn(Rc<T>) -> F, F: Future<Output = Result<(), Error>>> Repeated for Repeating<T, B, F> {
    fn begin(&mut self) {
        self.wait.set(self.of.upgrade().map(&self.begin));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.wait.as_mut().as_pin_mut() {
            Some(wait) => wait.poll(cx),
            None if self.of.strong_count() == 0 => Poll::Ready(Err(Error::Closed)),
            None => Poll::Pending,
        }
    }

    fn end(&mut self) {
        self.wait.set(None);
    }
}
