//! Futures that go on while some call waits.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use asyncio_streams_engine::platform::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::flag::Flag;

thread_local! {
    static BACKGROUND: Background = Background::new();
}

struct Background {
    spawned: RefCell<Vec<BoxFuture<'static, ()>>>,
    /// Taken out while it runs.
    running: Cell<Option<FuturesUnordered<BoxFuture<'static, ()>>>>,
    woken: Arc<Flag>,
    waker: Waker,
}

impl Background {
    fn new() -> Self {
        let woken = Flag::set();
        Background {
            spawned: RefCell::default(),
            running: Cell::default(),
            waker: woken.waker(),
            woken,
        }
    }

    fn run(&self) {
        let mut running = self.running.take().unwrap_or_default();
        // Cleared first: a future that wakes itself runs in the next turn.
        self.woken.take();
        loop {
            // No borrow is held while a future runs: it may spawn.
            running.extend(self.spawned.take());
            let mut cx = Context::from_waker(&self.waker);
            let polled = Pin::new(&mut running).poll_next_unpin(&mut cx);
            if !matches!(polled, Poll::Ready(Some(()))) && self.spawned.borrow().is_empty() {
                break;
            }
        }
        self.running.set(Some(running));
    }
}

/// Runs `future` from the next [`run`] on.
pub(crate) fn spawn(future: BoxFuture<'static, ()>) {
    BACKGROUND.with(|background| background.spawned.borrow_mut().push(future));
}

/// Polls the futures that were spawned or woken, until none is left that has not been polled.
pub(crate) fn run() {
    BACKGROUND.with(Background::run);
}

/// Returns whether there is a future to poll.
pub(crate) fn is_woken() -> bool {
    BACKGROUND
        .with(|background| background.woken.is_set() || !background.spawned.borrow().is_empty())
}
