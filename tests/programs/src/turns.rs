//! Giving up after some turns of the event loop.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Lets everything else in the program have `n` turns.
pub async fn turns(n: usize) {
    for _ in 0..n {
        wit_bindgen::yield_async().await;
    }
}

/// Goes on with `call` for `n` turns, then drops it: its result, or `None` when there was none by then.
pub async fn within_turns<F: Future>(n: usize, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut over = pin!(turns(n));
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => over.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Begins `call`, and drops it at once unless it has answered by then.
pub async fn begun_and_dropped<F: Future>(call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
