//! Calls of the host that end later: connects and name lookups.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::contract::Waiting;
use super::counts::{Counted, Kind};
use super::host::Host;

/// A call that has not ended.
pub(super) trait Pending {
    /// Ends the call if possible. Returns whether it has ended.
    fn step(&self) -> bool;

    /// Returns whether the call has ended or was cancelled.
    fn has_ended(&self) -> bool;
}

/// The result of a call. Dropping it cancels the call, in the background.
pub(super) struct Call<T: 'static> {
    host: Host,
    state: Rc<RefCell<State<T>>>,
    started: bool,
}

struct State<T> {
    host: Host,
    /// Returns the result once there is one.
    check: Option<Box<dyn FnMut() -> Option<T>>>,
    result: Option<T>,
    waiting: Waiting,
    _counted: Counted,
}

impl<T: 'static> Call<T> {
    /// Creates a call that ends when `check` returns a value. `check` is called between turns.
    pub(super) fn new(host: &Host, check: impl FnMut() -> Option<T> + 'static) -> Self {
        Call {
            host: host.clone(),
            state: Rc::new(RefCell::new(State {
                host: host.clone(),
                check: Some(Box::new(check)),
                result: None,
                waiting: Waiting::default(),
                _counted: host.world.counts.count(Kind::Call),
            })),
            started: false,
        }
    }
}

impl<T> Pending for RefCell<State<T>> {
    fn step(&self) -> bool {
        let Some(mut check) = self.borrow_mut().check.take() else {
            return false;
        };
        let result = check();
        let mut state = self.borrow_mut();
        if result.is_none() {
            state.check = Some(check);
            return false;
        }
        state.result = result;
        let host = state.host.clone();
        state.waiting.end(&host.world);
        true
    }

    fn has_ended(&self) -> bool {
        self.borrow().check.is_none()
    }
}

impl<T: 'static> Future for Call<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let world = self.host.world.clone();
        world.check_async("a call of the host was polled");
        if !self.started {
            self.started = true;
            world.calls.borrow_mut().push(self.state.clone());
        }
        let mut state = self.state.borrow_mut();
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.waiting.join(&world, cx);
                Poll::Pending
            }
        }
    }
}

impl<T: 'static> Drop for Call<T> {
    fn drop(&mut self) {
        let world = self.host.world.clone();
        self.state.borrow_mut().waiting.leave(&world);
        if !self.started || self.state.has_ended() {
            return;
        }
        let state = self.state.clone();
        self.host.reap(move || {
            let (check, result) = {
                let mut state = state.borrow_mut();
                (state.check.take(), state.result.take())
            };
            drop((check, result));
        });
    }
}
