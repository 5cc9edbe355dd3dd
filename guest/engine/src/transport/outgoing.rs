//! Waits for the operations of a sink. A dropped wait can be repeated: the sink owns its unfinished write.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use crate::platform::Sink;
use crate::types::Error;

/// Writes the rest of the last write. Calls `sent` with the length of each part that was taken.
pub(crate) async fn write_rest(
    sink: &mut dyn Sink,
    mut sent: impl FnMut(usize),
) -> Result<(), Error> {
    waiting(sink, |sink, cx| match sink.poll_rest(cx) {
        Poll::Ready(Ok(0)) => ControlFlow::Break(Poll::Ready(Ok(()))),
        Poll::Ready(Ok(n)) => {
            sent(n);
            ControlFlow::Continue(())
        }
        Poll::Ready(Err(error)) => ControlFlow::Break(Poll::Ready(Err(error))),
        Poll::Pending => ControlFlow::Break(Poll::Pending),
    })
    .await
}

/// Writes all of `bytes`. Calls `sent` with the length of each part that was taken.
pub(crate) async fn write_all(
    sink: &mut dyn Sink,
    bytes: Vec<u8>,
    mut sent: impl FnMut(usize),
) -> Result<(), Error> {
    let taken = sink.start(bytes);
    if taken > 0 {
        sent(taken);
    }
    write_rest(sink, sent).await
}

/// Sends the stream's control messages.
pub(crate) async fn control(sink: &mut dyn Sink) -> Result<(), Error> {
    once(sink, |sink, cx| sink.poll_control(cx)).await
}

/// Ends the stream, and waits for the confirmation that every byte was taken.
pub(crate) async fn end(sink: &mut dyn Sink) -> Result<(), Error> {
    once(sink, |sink, cx| sink.poll_end(cx)).await
}

/// Waits for the peer's end, if this is part of a close.
pub(crate) async fn peer_end(sink: &mut dyn Sink) -> Result<(), Error> {
    once(sink, |sink, cx| sink.poll_peer_end(cx)).await
}

/// Waits until the stream's reader wants bytes.
pub(crate) async fn wanted(sink: &mut dyn Sink) -> Result<(), Error> {
    once(sink, |sink, cx| sink.poll_wanted(cx)).await
}

async fn once<T>(
    sink: &mut dyn Sink,
    mut poll: impl FnMut(&mut dyn Sink, &mut Context<'_>) -> Poll<T>,
) -> T {
    waiting(sink, |sink, cx| ControlFlow::Break(poll(sink, cx))).await
}

/// Polls a sink until it is ready or the wait is dropped.
async fn waiting<T>(
    sink: &mut dyn Sink,
    mut step: impl FnMut(&mut dyn Sink, &mut Context<'_>) -> ControlFlow<Poll<T>>,
) -> T {
    let waiting = Waiting(sink);
    poll_fn(|cx| {
        loop {
            if let ControlFlow::Break(poll) = step(&mut *waiting.0, cx) {
                return poll;
            }
        }
    })
    .await
}

struct Waiting<'a>(&'a mut dyn Sink);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
