//! The task that sends output which the transport does not take at once. It ends when nothing is left to send or the
//! output has ended.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use asyncio_streams_core::Transmit;

use crate::platform::Sink;
use crate::select::{Either, select};
use crate::transport;
use crate::types::Error;

use super::Connection;

/// Nanoseconds within which an alert has to be sent.
const ALERT: u64 = 1_000_000_000;

pub(super) async fn run(connection: Rc<Connection>) {
    {
        let sending = pin!(send(&connection));
        let overdue = pin!(overdue(&connection));
        let ended = pin!(connection.until_transmitting(|| connection.outcome()));
        select(sending, select(overdue, ended)).await;
    }
    if connection.outcome().is_some() {
        flush_alert(&connection).await;
        connection.finish_output();
        let remains = connection.remains.take();
        if let Some(remains) = remains {
            remains.linger(&connection.engine).await;
        }
    }
    connection.tasks.transmitting.set(false);
    connection.mark_dirty();
}

/// Sends until the queue is empty. A failure ends the connection.
async fn send(connection: &Rc<Connection>) {
    while connection.wants_transmitting() {
        let Some(mut sink) = connection.output.sink.take() else {
            return;
        };
        if let Err(error) = send_queued(connection, &mut *sink).await {
            return connection.lost(error);
        }
        sink = match connection.begin_upgrade(sink).await {
            Ok(sink) => sink,
            Err(error) => {
                connection.end_input(error.clone());
                return connection.lost(error);
            }
        };
        *connection.output.sink.borrow_mut() = Some(sink);
    }
}

/// Sends the queue.
async fn send_queued(connection: &Connection, sink: &mut dyn Sink) -> Result<(), Error> {
    transport::write_rest(sink, |n| connection.sent(n)).await?;
    loop {
        // A separate statement: in the `match`, the borrow would last.
        let next = connection.output.queue.borrow_mut().next();
        match next {
            Transmit::Data(chunk) => {
                transport::write_all(sink, chunk, |n| connection.sent(n)).await?;
            }
            Transmit::End => {
                end(connection, sink).await?;
                connection.output.queue.borrow_mut().ended();
                connection.output.changed.wake();
            }
            Transmit::Nothing => return transport::control(sink).await,
        }
    }
}

/// Ends the output. If the transport waits for the peer's end, a close waits for it too.
async fn end(connection: &Connection, sink: &mut dyn Sink) -> Result<(), Error> {
    transport::end(sink).await?;
    let Some(nanoseconds) = sink.peer_end_timeout() else {
        return Ok(());
    };
    connection
        .until_transmitting(|| connection.output.queue.borrow().is_closing().then_some(()))
        .await;
    let late = connection.engine.sleep(nanoseconds);
    match select(pin!(transport::peer_end(sink)), late).await {
        Either::Left(ended) => ended,
        Either::Right(_) => Err(Error::DeadlineExceeded),
    }
}

/// From this deadline on, the periodic check of all closed connections is exact enough.
const COARSE: u64 = 5_000_000_000;

/// Aborts a close that exceeds its deadline.
async fn overdue(connection: &Connection) {
    connection
        .until_transmitting(|| connection.output.queue.borrow().is_closing().then_some(()))
        .await;
    match connection.output.close_deadline {
        Some(nanoseconds) if nanoseconds < COARSE => connection.engine.sleep(nanoseconds).await,
        Some(_) => {
            // Most closes end soon: a separate timer would cost more than the rest of the close.
            connection.engine.lingering().tick(&connection.engine);
            connection
                .until_transmitting(|| connection.is_overdue().then_some(()))
                .await;
        }
        None => std::future::pending().await,
    }
    connection
        .output
        .queue
        .borrow_mut()
        .abort(Error::DeadlineExceeded);
    connection.weigh();
    connection.output.changed.wake();
}

/// Sends the alert with the reason of the failure, if there is one.
async fn flush_alert(connection: &Connection) {
    // There is no sink if it was dropped during a write; then nothing can follow.
    let Some(mut sink) = connection.output.sink.take() else {
        return;
    };
    if sink.wants_control() {
        let late = connection.engine.sleep(ALERT);
        select(pin!(transport::control(&mut *sink)), late).await;
    }
}

impl Connection {
    /// Waits, in the transmitting task, until `check` returns a value. Calls `check` at once, and whenever the
    /// connection has changed.
    async fn until_transmitting<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        poll_fn(|cx| {
            self.tasks.transmitter.register(cx);
            check().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
