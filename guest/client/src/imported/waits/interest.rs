//! The wait for one reader or writer, as a part of the program's one wait.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::Error;
use crate::bindings::numbers::Event;

use super::{WAITS, Waits};

/// The interest of one resource in its event. At most one future waits for it. Dropping it removes it from the watch.
#[derive(Default)]
pub(crate) struct Interest(Rc<State>);

/// The state that the interest, its future and the program's wait share.
#[derive(Default)]
pub(super) struct State {
    pub(super) number: Cell<u64>,
    pub(super) event: RefCell<Option<Event>>,
    /// The event is another one than the watch has.
    pub(super) changed: Cell<bool>,
    pub(super) progress: Cell<Progress>,
    /// A future waits, or has not taken its outcome.
    pub(super) waiting: Cell<bool>,
    /// The key and the event that the watch of the reports has for it, waiting or not.
    pub(super) reported: RefCell<Option<(u32, Event)>>,
    outcome: RefCell<Option<Result<(), Error>>>,
    waker: RefCell<Option<Waker>>,
    /// It is on the list of those that the watch must hear of.
    pub(super) listed: Cell<bool>,
}

/// How far the watch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    /// The watch does not have it.
    #[default]
    Idle,
    /// It will be added at the end of the turn.
    New,
    /// The watch waits for it, under this key.
    Armed(u32),
    /// The watch has reported it. The next wait waits for it again, unless it is removed before.
    Fired(u32),
    /// It waits for a report.
    Direct,
    /// Its event was reported; the result of the wait is there to be asked for.
    Reported,
}

impl Interest {
    /// Waits for the event of the resource with this number.
    ///
    /// `Ok` may stand for an error of the wait, which [`Interest::result`] returns. Dropping the future has no effect on anything
    /// else.
    ///
    /// # Errors
    /// - [`Error::Busy`]: another future waits.
    /// - [`Error::Cancelled`]: [`Interest::cancel`] ended it.
    pub(crate) fn fired(&self, number: u64, event: Event) -> Fired {
        self.0.number.set(number);
        Fired {
            state: self.0.clone(),
            event: Some(event),
            waits: false,
        }
    }

    /// Waits for the event, and returns the result of the wait.
    pub(crate) fn wait(
        &self,
        number: u64,
        event: Event,
    ) -> impl Future<Output = Result<(), Error>> + use<> {
        let (fired, state) = (self.fired(number, event), self.0.clone());
        async move {
            fired.await?;
            state.result()
        }
    }

    /// Returns the result of the wait that has just ended, and removes it from the watch.
    pub(crate) fn result(&self) -> Result<(), Error> {
        self.0.result()
    }

    /// Ends the pending wait, if there is one, with `cancelled`.
    pub(crate) fn cancel(&self) {
        if self.is_pending() {
            self.0.leave();
            self.0.end(Err(Error::Cancelled));
        }
    }

    /// Returns whether a future waits, or has not been polled since its wait ended.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.waiting.get()
    }

    /// Returns whether a wait is pending.
    pub(crate) fn is_pending(&self) -> bool {
        self.0.is_pending()
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.leave();
        WAITS.with(|waits| waits.direct.forget(&self.0));
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interest")
            .field(&self.0.progress.get())
            .finish()
    }
}

impl State {
    pub(super) fn is_pending(&self) -> bool {
        self.waiting.get() && self.outcome.borrow().is_none()
    }

    /// Returns whether the wait of a future has ended, and the future was not polled since.
    pub(super) fn is_untaken(&self) -> bool {
        self.waiting.get() && self.outcome.borrow().is_some()
    }

    /// Ends the wait of the future, if one waits, and wakes it.
    pub(super) fn end(&self, outcome: Result<(), Error>) {
        if !self.waiting.get() {
            return;
        }
        let before = self.outcome.replace(Some(outcome));
        if before.is_none() {
            WAITS.with(|waits| waits.ended());
        }
        self.wake();
    }

    /// Has the task of the future look again.
    pub(super) fn wake(&self) {
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn begin(self: &Rc<Self>, event: Event) {
        self.waiting.set(true);
        if self.event.borrow().as_ref() != Some(&event) {
            self.event.replace(Some(event));
            self.changed.set(true);
        }
        if matches!(self.progress.get(), Progress::Idle | Progress::Reported) {
            self.progress.set(Progress::New);
        }
        WAITS.with(|waits| waits.list(self));
    }

    fn register(&self, cx: &Context<'_>) {
        WAITS.with(Waits::registered);
        let mut slot = self.waker.borrow_mut();
        match slot.as_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *slot = Some(cx.waker().clone()),
        }
    }

    fn result(&self) -> Result<(), Error> {
        match self.progress.get() {
            Progress::Fired(key) => {
                self.progress.set(Progress::Idle);
                WAITS.with(|waits| waits.remove(key))
            }
            Progress::Reported => {
                self.progress.set(Progress::Idle);
                WAITS.with(|waits| waits.direct.result(self))
            }
            Progress::Idle | Progress::New | Progress::Armed(_) | Progress::Direct => Ok(()),
        }
    }

    /// Removes it from the watch.
    fn leave(&self) {
        let progress = self.progress.replace(Progress::Idle);
        WAITS.with(|waits| match progress {
            Progress::Armed(key) => {
                waits.disarmed();
                // The program has not heard of it, so the result is of no interest.
                let _ = waits.remove(key);
            }
            Progress::Fired(key) => {
                let _ = waits.remove(key);
            }
            Progress::Direct => waits.direct.end(self),
            Progress::Idle | Progress::New | Progress::Reported => {}
        });
    }
}

/// The future of [`Interest::fired`].
pub(crate) struct Fired {
    state: Rc<State>,
    /// Taken by the first poll.
    event: Option<Event>,
    /// The wait of the state is this future's.
    waits: bool,
}

impl Future for Fired {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(event) = self.event.take() {
            if self.state.waiting.get() {
                return Poll::Ready(Err(Error::Busy));
            }
            self.waits = true;
            self.state.begin(event);
        }
        let outcome = match self.waits {
            true => self.state.outcome.take(),
            false => return Poll::Pending,
        };
        if let Some(outcome) = outcome {
            self.waits = false;
            self.state.waiting.set(false);
            WAITS.with(|waits| waits.taken());
            return Poll::Ready(outcome);
        }
        self.state.register(cx);
        Poll::Pending
    }
}

impl Drop for Fired {
    fn drop(&mut self) {
        if !self.waits {
            return;
        }
        self.state.waiting.set(false);
        if self.state.outcome.take().is_some() {
            WAITS.with(|waits| waits.taken());
        }
        if !matches!(
            self.state.progress.get(),
            Progress::Fired(_) | Progress::Reported
        ) {
            self.state.leave();
        }
    }
}
