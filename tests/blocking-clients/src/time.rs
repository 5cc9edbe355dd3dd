//! Timeouts of several calls together.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::bindings::wasi02::wasi::clocks::monotonic_clock;

/// The time passed first.
#[derive(Debug)]
pub(crate) struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time passed before")
    }
}

impl std::error::Error for Elapsed {}

pub(crate) async fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let end = now().saturating_add(duration);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Ok(result)),
        Poll::Pending if now() >= end => Poll::Ready(Err(Elapsed)),
        Poll::Pending => Poll::Pending,
    })
    .await
}

pub(crate) async fn sleep(duration: Duration) {
    // The time passes before.
    let _ = timeout(duration, std::future::pending::<()>()).await;
}

fn now() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}
