//! Runs async programs over calls that block.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::bindings::asyncio::streams::blocking::{Error, wait_any};

/// A call with this timeout does not wait.
pub(crate) const NOW: Option<u64> = Some(0);

/// Nanoseconds for which bytes move between two polls.
const TURN: u64 = 100_000;

/// Polls a future to its end. Between the polls, the bytes of all connections move.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return result;
        }
        // An empty list is refused only without a timeout.
        let _ = wait_any(&[], Some(TURN));
    }
}

/// Tries a call until it does not time out.
pub(crate) async fn until<T>(call: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    poll_fn(|_| match call() {
        Err(Error::Cancelled) => Poll::Pending,
        result => Poll::Ready(result),
    })
    .await
}
