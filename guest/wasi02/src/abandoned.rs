//! Output streams that were given up while the host still holds bytes of theirs.
//!
//! A host may block in the drop of such a stream until the peer has taken the bytes, and a peer need not take any. So the
//! drop waits in the background until it does not block. Until then its handles are in use, which quotas hear of.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;

use crate::background;

thread_local! {
    static ABANDONED: Abandoned = Abandoned::default();
}

type Then = Box<dyn FnOnce()>;

#[derive(Default)]
struct Abandoned {
    numbers: RefCell<BTreeSet<u64>>,
    next: Cell<u64>,
    /// Closures of [`after`], each with the last stream that must be gone first.
    late: RefCell<Vec<(u64, Then)>>,
}

/// Runs the end of a stream in the background.
pub(crate) fn end(ending: impl Future<Output = ()> + 'static) {
    let number = ABANDONED.with(|abandoned| {
        let number = abandoned.next.get();
        abandoned.next.set(number.wrapping_add(1));
        abandoned.numbers.borrow_mut().insert(number);
        number
    });
    background::spawn(Box::pin(async move {
        ending.await;
        ABANDONED.with(|abandoned| abandoned.ended(number));
    }));
}

/// Runs `then` when all streams that were given up before are gone: now, or later in the background.
pub(crate) fn after(then: Then) {
    let last = ABANDONED.with(|abandoned| abandoned.numbers.borrow().last().copied());
    match last {
        Some(last) => ABANDONED.with(|abandoned| abandoned.late.borrow_mut().push((last, then))),
        None => then(),
    }
}

impl Abandoned {
    fn ended(&self, number: u64) {
        self.numbers.borrow_mut().remove(&number);
        let first = self.numbers.borrow().first().copied();
        let is_due = |last: u64| first.is_none_or(|first| last < first);
        let due: Vec<_> = self
            .late
            .borrow_mut()
            .extract_if(.., |(last, _)| is_due(*last))
            .collect();
        for (_, then) in due {
            then();
        }
    }
}
