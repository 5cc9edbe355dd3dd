//! Time: `std::time::Instant` and `std::thread::sleep` do not work in a component.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::Error;
use crate::bindings::imports::wasi::clocks::monotonic_clock;

/// The time since some moment that stays the same while the program runs. asyncio's `loop.time`.
pub fn now() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}

/// Waits. asyncio's `sleep`.
pub async fn sleep(duration: Duration) {
    monotonic_clock::wait_for(nanoseconds(duration)).await;
}

/// Waits for `future`, but not longer than `duration`; then drops it. asyncio's `wait_for`.
///
/// Around a call of this crate that loses nothing: reads and accepts have taken nothing, what was
/// written still goes out, and an attempt to connect is closed. A `future` that answers at once is
/// never late, even if `duration` is zero.
///
/// ```no_run
/// # async fn f(reader: asyncio_streams::Reader) -> Result<(), asyncio_streams::Error> {
/// use asyncio_streams::timeout;
/// use std::time::Duration;
///
/// let line = timeout(Duration::from_secs(5), reader.readline()).await??;
/// # Ok(()) }
/// ```
///
/// # Errors
/// - [`Elapsed`]: the time is over. It becomes [`Error::DeadlineExceeded`] by `?`.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let mut timer = pin!(sleep(duration));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        // The clock is asked only now: what answers at once costs no timer.
        Poll::Pending => timer.as_mut().poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

/// The time that [`timeout`] allowed is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl std::error::Error for Elapsed {}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline exceeded")
    }
}

impl From<Elapsed> for Error {
    fn from(Elapsed: Elapsed) -> Self {
        Error::DeadlineExceeded
    }
}

/// A duration for the interface: 584 years are the most it can say.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_saturate() {
        assert_eq!(nanoseconds(Duration::from_millis(250)), 250_000_000);
        assert_eq!(nanoseconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn what_answers_at_once_needs_no_clock() {
        let mut late = pin!(timeout(Duration::ZERO, std::future::ready(1)));
        let polled = late
            .as_mut()
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert_eq!(polled, Poll::Ready(Ok(1)));
    }
}
