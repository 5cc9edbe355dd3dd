//! Where a watch reports its keys to, and which watches do.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use super::State;

/// Takes the keys that a [`Watch`](super::Watch) reports.
pub trait KeySink {
    /// Starts to send keys. The ones before must have been taken.
    fn start(&mut self, keys: Vec<u32>);

    /// Returns whether keys were not taken yet.
    fn has_rest(&self) -> bool;

    /// Polls until the next part of the keys is taken; false if nobody takes them any more. Only as a part of the background.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<bool>;
}

/// The watches that report.
#[derive(Default)]
pub(crate) struct Reporting(RefCell<Vec<Weak<State>>>);

impl Reporting {
    pub(super) fn add(&self, state: &Rc<State>) {
        let mut watches = self.0.borrow_mut();
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Rc::downgrade(state));
    }

    /// Begins the waits that are new. Only as a part of the background.
    pub(crate) fn begin_new(&self) {
        // No borrow is held while a wait is polled: it may run other code.
        let mut place = 0_usize;
        loop {
            let watch = match self.0.borrow().get(place) {
                Some(watch) => watch.upgrade(),
                None => return,
            };
            if let Some(watch) = watch {
                watch.begin_new();
            }
            place = place.saturating_add(1);
        }
    }

    /// The same later, in the background.
    pub(crate) fn begin_new_later(&self) {
        for watch in self.0.borrow().iter().filter_map(Weak::upgrade) {
            watch.wake();
        }
    }
}
