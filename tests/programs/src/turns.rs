//! Cancelling after some turns of the event loop.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Lets all other tasks of the program run for `n` turns.
pub async fn turns(n: usize) {
    for _ in 0..n {
        wit_bindgen::yield_async().await;
    }
}

/// Polls `call` for `n` turns, then drops it: returns its result, or `None` without one.
pub async fn within_turns<F: Future>(n: usize, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut over = pin!(turns(n));
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => over.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Starts `call`, and drops it at once unless it is complete.
pub async fn begun_and_dropped<F: Future>(call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
