//! What a connection does in the background: writes what is queued, ends it, and discards input that nobody wants.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use asyncio_streams_core::Transmit;
use futures::future::{Either, join3, select};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::driver;
use crate::transport::{Incoming, Outgoing, read_buffers};

use super::fill::Lent;
use super::{Connection, Slot, linger};

/// Discarding reads in a row after which other tasks get a turn.
const TURN: u32 = 16;

/// Serves `connection` until both directions have ended.
pub(super) async fn run(connection: Rc<Connection>) {
    let entry = linger::Entry::new(&connection);
    let connection = &*connection;
    join3(write_out(connection), discard(connection), part(connection)).await;
    drop(entry);
    connection
        .pump_until(|| (!connection.given.get()).then_some(()))
        .await;
    connection.held.release();
}

/// Writes until the connection is closed, aborted or lost.
async fn write_out(connection: &Connection) {
    {
        let sending = pin!(send(connection));
        let overdue = pin!(overdue(connection));
        let idle = pin!(idle(connection));
        let ended = pin!(connection.pump_until(|| connection.outcome()));
        select(sending, select(select(overdue, idle), ended)).await;
    }
    // Taken before it is dropped: that may let other calls run.
    let mut idle = connection.outgoing.take();
    if let Some(outgoing) = idle.as_mut() {
        outgoing.last_words().await;
    }
    drop(idle);
    connection.forget_upgrade();
    connection.held.leave();
}

/// Ends the connection properly after a failed upgrade.
async fn part(connection: &Connection) {
    let remains = connection.pump_until(|| match connection.remains.take() {
        Some(remains) => Some(Some(remains)),
        None => connection.outcome().map(|_| None),
    });
    if let Some(remains) = remains.await {
        remains.part().await;
    }
}

async fn send(connection: &Connection) {
    loop {
        let mut outgoing = poll_fn(|cx| {
            connection.pump.register(cx);
            let speaks = connection.wants_to_speak(cx);
            let changes = connection.upgrade.borrow().is_some();
            let wanted = speaks || changes || connection.output.borrow().wants_transport();
            match wanted.then(|| connection.outgoing.take()).flatten() {
                Some(outgoing) => Poll::Ready(outgoing),
                None => Poll::Pending,
            }
        })
        .await;
        if let Err(error) = send_queued(connection, &mut outgoing).await {
            return connection.lost(error);
        }
        outgoing = match connection.upgrade(outgoing).await {
            Ok(outgoing) => outgoing,
            Err(error) => {
                connection.end_input(error.clone());
                return connection.lost(error);
            }
        };
        *connection.outgoing.borrow_mut() = Some(outgoing);
    }
}

/// Writes until there is nothing to write.
async fn send_queued(connection: &Connection, outgoing: &mut Outgoing) -> Result<(), Error> {
    outgoing.write_rest(|n| connection.sent(n)).await?;
    loop {
        // Bound before the match, whose borrow would otherwise last.
        let next = connection.output.borrow_mut().next();
        match next {
            Transmit::Data(chunk) => outgoing.write(chunk, |n| connection.sent(n)).await?,
            Transmit::End => {
                end(connection, outgoing).await?;
                connection.output.borrow_mut().ended();
                connection.output_changed.wake();
            }
            Transmit::Nothing => return outgoing.speak().await,
        }
    }
}

/// Ends the output; if the transport waits for the peer's end, a close waits for it too.
async fn end(connection: &Connection, outgoing: &mut Outgoing) -> Result<(), Error> {
    outgoing.finish().await?;
    if outgoing.waits_for_peer() {
        connection
            .pump_until(|| connection.output.borrow().is_closing().then_some(()))
            .await;
        outgoing.peer_ended().await?;
    }
    Ok(())
}

/// Aborts a close that takes longer than it may.
async fn overdue(connection: &Connection) {
    connection
        .pump_until(|| connection.output.borrow().is_closing().then_some(()))
        .await;
    match connection.close_deadline {
        Some(nanoseconds) => driver::sleep(nanoseconds).await,
        None => std::future::pending().await,
    }
    connection
        .output
        .borrow_mut()
        .abort(Error::DeadlineExceeded);
    connection.weigh();
    connection.output_changed.wake();
}

/// Aborts a connection on which no byte moves.
async fn idle(connection: &Connection) {
    connection.activity.expired().await;
    connection.expire();
}

/// Takes input that nobody wants any more, so that the peer can go on, until its end or until it lingers too long.
async fn discard(connection: &Connection) {
    connection
        .pump_until(|| connection.input_unwanted().then_some(()))
        .await;
    settle_without(connection).await;
    let Some(mut lent) = Lent::borrow(connection) else {
        return;
    };
    let Some(incoming) = lent.incoming.as_mut() else {
        return;
    };
    connection.unsettle();
    {
        let taking = pin!(take_all(connection, incoming));
        let expired = pin!(linger::expired(connection));
        select(taking, expired).await;
    }
    lent.incoming = None;
}

/// Waits for input that is lent or given away. The end of the program waits for it no longer than for other connections.
async fn settle_without(connection: &Connection) {
    let mut returned = pin!(
        connection.pump_until(|| match &*connection.incoming.borrow() {
            Slot::Lent => None,
            Slot::Here(_) | Slot::Gone => Some(()),
        })
    );
    let expired = pin!(linger::expired(connection));
    if let Either::Right(_) = select(returned.as_mut(), expired).await {
        connection.settle();
        returned.await;
    }
}

/// Reads to the end.
async fn take_all(connection: &Connection, incoming: &mut Incoming) {
    let mut pieces: u32 = 0;
    while let Some(bytes) = incoming.read_next().await {
        read_buffers::give_back(bytes);
        connection.note_piece();
        pieces = pieces.wrapping_add(1);
        if pieces.is_multiple_of(TURN) {
            driver::next_turn().await;
        }
    }
    if let Err(error) = incoming.outcome_unread().await {
        connection.lost(error);
    }
}

impl Connection {
    /// Writes what is queued, as far as the transport takes it at once; the rest is the pump's. Only in async calls.
    ///
    /// A call that is about to wait spares the pump's turn by this, and the peer a delay.
    pub(crate) fn flush_now(&self) {
        if self.output.borrow().queued() == 0 {
            return;
        }
        let Some(mut outgoing) = self.outgoing.take() else {
            return;
        };
        while !outgoing.has_rest() && self.output.borrow().queued() > 0 {
            let next = self.output.borrow_mut().next();
            let Transmit::Data(chunk) = next else {
                break;
            };
            self.sent(outgoing.write_now(chunk));
        }
        if self.outcome().is_none() {
            *self.outgoing.borrow_mut() = Some(outgoing);
            if self.output.borrow().wants_transport() {
                self.pump.wake();
            }
        }
    }

    /// The transport has taken `n` bytes more.
    fn sent(&self, n: usize) {
        if n > 0 {
            self.activity.mark();
        }
        self.output.borrow_mut().sent(n);
        self.weigh();
        self.output_changed.wake();
    }

    /// Waits, in the pump, until `check` gives something. It is asked at once and whenever the pump is woken.
    pub(super) async fn pump_until<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        poll_fn(|cx| {
            self.pump.register(cx);
            check().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
