//! Waiting for the first of two futures.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// The output of the future that ended first.
pub(crate) enum Either<A, B> {
    /// The first future ended, perhaps both.
    Left(A),
    /// Only the second one ended.
    Right(B),
}

/// Polls both futures, `first` first, until one has ended.
///
/// The futures stay in their places. That takes less code and fewer steps than `futures::future::select`, which returns the
/// other future.
pub(crate) fn select<A, B>(
    mut first: A,
    mut second: B,
) -> impl Future<Output = Either<A::Output, B::Output>> + Unpin
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    poll_fn(move |cx| {
        if let Poll::Ready(output) = Pin::new(&mut first).poll(cx) {
            return Poll::Ready(Either::Left(output));
        }
        Pin::new(&mut second).poll(cx).map(Either::Right)
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::{Context, Waker};

    use super::*;

    fn poll(future: impl Future<Output = Either<u8, char>> + Unpin) -> Poll<Either<u8, char>> {
        let mut future = future;
        Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_future_comes_first() {
        assert!(matches!(
            poll(select(ready(1), ready('a'))),
            Poll::Ready(Either::Left(1))
        ));
        assert!(matches!(
            poll(select(pending(), ready('a'))),
            Poll::Ready(Either::Right('a'))
        ));
        assert!(poll(select(pending(), pending())).is_pending());
    }
}
