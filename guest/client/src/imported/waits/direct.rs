//! Waits of their own, for a program that waits for little: one such call costs less than a call of the watch.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::Error;
use crate::bindings::numbers;
use crate::bindings::types;

use super::arrived::Arrived;
use super::interest::{Progress, State};

/// The number of interests that wait by calls of their own; of more, the watch waits for those that come last.
pub(super) const MOST: usize = 2;

type Call = Pin<Box<dyn Future<Output = Result<(), types::Error>>>>;

/// The pending calls.
#[derive(Default)]
pub(super) struct Directs(RefCell<Vec<Direct>>);

struct Direct {
    state: Rc<State>,
    call: Call,
    arrived: Arrived,
}

impl Directs {
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Begins the wait of an interest.
    pub(super) fn begin(&self, state: &Rc<State>) {
        let Some(event) = state.event.borrow().clone() else {
            return;
        };
        state.changed.set(false);
        state.progress.set(Progress::Direct);
        let direct = Direct {
            state: state.clone(),
            call: Box::pin(numbers::wait_for(state.number.get(), event)),
            arrived: Arrived::default(),
        };
        self.poll(direct);
    }

    /// Ends the wait of an interest.
    pub(super) fn end(&self, state: &State) {
        let mut all = self.0.borrow_mut();
        let place = all
            .iter()
            .position(|direct| std::ptr::eq(&*direct.state, state));
        let ended = place.map(|place| all.swap_remove(place));
        // Dropped without a borrow: the host runs other code until the call has ended.
        drop(all);
        drop(ended);
    }

    /// Wakes the tasks whose calls have returned.
    pub(super) fn returned(&self) {
        let mut place = 0_usize;
        loop {
            let direct = {
                let mut all = self.0.borrow_mut();
                let Some(direct) = all.get(place) else {
                    return;
                };
                if !direct.arrived.take() {
                    place = place.saturating_add(1);
                    continue;
                }
                all.swap_remove(place)
            };
            self.poll(direct);
        }
    }

    fn poll(&self, mut direct: Direct) {
        let waker = Waker::from(direct.arrived.waker());
        match direct.call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => self.0.borrow_mut().push(direct),
            Poll::Ready(result) => {
                let Direct { state, call, .. } = direct;
                drop(call);
                state.progress.set(Progress::Idle);
                state.end(result.map_err(Error::from));
            }
        }
    }
}
