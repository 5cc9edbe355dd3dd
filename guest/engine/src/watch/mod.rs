//! The watch: a standing list of events by keys, and one wait for all of them.

mod event;
mod members;
mod place;
mod reports;
mod woken;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use crate::engine::Engine;
use crate::quota::HandlePermit;
use crate::types::Error;

use members::Members;

pub use event::Event;
pub use place::Place;
pub use reports::KeySink;

/// A standing list of events, and one wait for all of them. The caller chooses the keys.
///
/// A wait for an event begins inside [`Watch::wait`]. Events stay in the list, and each call reports all events that are there, so a
/// call that is dropped at any moment loses nothing. All calls belong to the same task, or to the same wait set.
///
/// Between two calls the events remain pending. Those that end in this time, because their connection or server was closed or
/// cancelled, end in the background.
pub struct Watch(Rc<State>);

struct State {
    engine: Engine,
    /// Taken by the first wait.
    permit: RefCell<Option<HandlePermit>>,
    members: Members,
    /// The background settles between waits.
    settling: Cell<bool>,
    /// `cancel` was called for the pending wait.
    cancelled: Cell<bool>,
    /// Takes the keys, in place of waits.
    reports: RefCell<Option<Box<dyn KeySink>>>,
}

impl Watch {
    /// Creates a watch without keys.
    pub fn new(engine: &Engine) -> Self {
        Watch(Rc::new(State {
            engine: engine.clone(),
            permit: RefCell::default(),
            members: Members::default(),
            settling: Cell::new(false),
            cancelled: Cell::new(false),
            reports: RefCell::default(),
        }))
    }

    /// Adds an event under a key, in place of the event that has this key.
    pub fn add(&self, key: u32, event: Event) -> Place {
        let place = self.0.members.add(key, event);
        if self.0.reports.borrow().is_none() {
            // A pending call waits for it too.
            self.0.members.woken.wake();
        }
        place
    }

    /// Has an event that was reported waited for again, after [`Watch::report`]. An error is reported again. Returns false if there is no
    /// such key.
    pub fn again(&self, key: u32) -> bool {
        self.0.members.again(key)
    }

    /// Removes a key and ends its wait; returns the wait's result if the last call has reported it.
    pub fn remove(&self, key: u32) -> Option<Result<(), Error>> {
        self.0.members.remove(key)
    }

    /// Returns whether that member is still in the list.
    pub fn has(&self, place: Place) -> bool {
        self.0.members.has(place)
    }

    /// Ends that member's wait with `error` for good, if the member is still in the list: its resource is gone. The member is
    /// reported until it is removed.
    pub fn end(&self, place: Place, error: Error) {
        self.0.members.end(place, error);
    }

    /// Waits until at least one event is there, or has become an error; returns the keys of all such events, in ascending order.
    /// The call is pending from now on. Dropping the future leaves all keys as they are.
    ///
    /// # Errors
    ///
    /// `busy` while another call is pending, and `network(out-of-resources)`. The future's: `cancelled`.
    pub fn wait(&self) -> Result<impl Future<Output = Result<Vec<u32>, Error>> + use<>, Error> {
        let pending = Pending::begin(&self.0)?;
        self.0.take_permit()?;
        Ok(async move {
            let Pending(state) = &pending;
            // In the call, which may have entered a wait set of its own: the background must not start before.
            if !state.settling.replace(true) {
                let settling = settle_between_waits(Rc::downgrade(state));
                state.engine.spawn(settling);
            }
            state.members.renew();
            poll_fn(|cx| state.poll(cx)).await
        })
    }

    /// Reports the keys of events to `to` from now on: each once, when its event is there or has become an error, and again after
    /// [`Watch::again`].
    ///
    /// It replaces [`Watch::wait`], which returns `busy` from now on. [`Watch::ready`] begins the waits for added events. Only async
    /// calls may call it.
    ///
    /// # Errors
    ///
    /// `busy` after the first call or while a wait is pending, and `network(out-of-resources)`.
    pub fn report(&self, to: Box<dyn KeySink>) -> Result<(), Error> {
        let state = &self.0;
        if state.members.woken.is_waiting() {
            return Err(Error::Busy);
        }
        state.take_permit()?;
        state.members.woken.begin_wait();
        *state.reports.borrow_mut() = Some(to);
        state.engine.spawn(send_reports(Rc::downgrade(state)));
        Ok(())
    }

    /// Settles as [`Engine::kick`] does, begins the waits for added events, and returns the keys of events that are there, in
    /// ascending order. These keys count as reported. It belongs to [`Watch::report`]; sync calls may call it too.
    pub fn ready(&self) -> Vec<u32> {
        let State {
            engine,
            members,
            reports,
            ..
        } = &*self.0;
        if reports.borrow().is_none() {
            engine.kick();
            return Vec::new();
        }
        let begun = engine.kick_and(|| {
            members.poll_new();
            members.poll_woken();
        });
        if !begun {
            members.woken.wake();
        }
        members.take_over()
    }

    /// Ends the pending [`Watch::wait`] with `cancelled`. It is not remembered.
    pub fn cancel(&self) {
        if self.0.members.woken.is_waiting() && self.0.reports.borrow().is_none() {
            self.0.cancelled.set(true);
            self.0.members.woken.wake();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl State {
    fn poll(&self, cx: &Context<'_>) -> Poll<Result<Vec<u32>, Error>> {
        if self.cancelled.get() {
            return Poll::Ready(Err(Error::Cancelled));
        }
        self.poll_members(cx);
        let keys = self.members.keys_over();
        if keys.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(keys))
        }
    }
}

impl State {
    fn take_permit(&self) -> Result<(), Error> {
        let mut permit = self.permit.borrow_mut();
        if permit.is_none() {
            *permit = Some(self.engine.handles().watch()?);
        }
        Ok(())
    }

    fn poll_members(&self, cx: &Context<'_>) {
        self.members.woken.register_waiter(cx);
        self.members.poll_new();
        self.members.poll_woken();
    }

    fn poll_reports(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_members(cx);
        let mut reports = self.reports.borrow_mut();
        let Some(to) = reports.as_mut() else {
            return Poll::Ready(());
        };
        loop {
            while to.has_rest() {
                if !ready!(to.poll_rest(cx)) {
                    return Poll::Ready(());
                }
            }
            let keys = self.members.take_over();
            if keys.is_empty() {
                return Poll::Pending;
            }
            to.start(keys);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // Ends the background's future.
        self.members.woken.wake();
        self.members.woken.wake_background();
    }
}

/// Polls the members that are woken while no wait is pending: a closed connection needs its input back, and a closed server its
/// listeners.
async fn settle_between_waits(state: Weak<State>) {
    poll_fn(|cx| {
        let Some(state) = state.upgrade() else {
            return Poll::Ready(());
        };
        state.members.woken.register_background(cx);
        if !state.members.woken.is_waiting() {
            state.members.poll_woken();
        }
        Poll::Pending
    })
    .await;
}

/// Sends the keys of a watch until the watch is dropped or the receiver is gone.
async fn send_reports(state: Weak<State>) {
    poll_fn(|cx| match state.upgrade() {
        Some(state) => state.poll_reports(cx),
        None => Poll::Ready(()),
    })
    .await;
}

/// A call of [`Watch::wait`], until it is dropped.
struct Pending(Rc<State>);

impl Pending {
    fn begin(state: &Rc<State>) -> Result<Self, Error> {
        if !state.members.woken.begin_wait() {
            return Err(Error::Busy);
        }
        state.cancelled.set(false);
        Ok(Pending(state.clone()))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.members.woken.end_wait();
    }
}
