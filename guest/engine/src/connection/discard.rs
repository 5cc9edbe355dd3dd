//! Discards unwanted input, so that the peer can continue: until the peer's end, or while a closed connection lingers.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::engine::Coop;
use crate::read_buffers::LARGE;
use crate::select::select;
use crate::transport::Incoming;

use super::Connection;
use super::input::Loan;

/// The number of pieces that are discarded at once before a task discards the rest.
const AT_ONCE: usize = 16;

/// The number of pieces that the task discards before it lets other tasks run.
const TURN: u32 = 16;

/// Discards the input that has arrived. Returns whether the input has ended.
///
/// Returns false unless the connection has ended cleanly: otherwise the end of the input may be a loss.
pub(super) fn at_once(connection: &Connection) -> bool {
    if !matches!(connection.outcome(), Some(Ok(()))) {
        return false;
    }
    let Some(mut incoming) = connection.input.take_source() else {
        return false;
    };
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..AT_ONCE {
        match incoming.poll_read(&mut cx, LARGE) {
            Poll::Ready(Some(bytes)) => {
                connection.engine.buffers().give_back(bytes);
                connection.note_piece();
            }
            Poll::Ready(None) => {
                connection.input.put_back(incoming);
                connection.input.drop_source();
                return true;
            }
            Poll::Pending => break,
        }
    }
    // A pending read belongs to the running task: the discarding task continues it there.
    connection.input.put_back(incoming);
    false
}

pub(super) async fn run(connection: Rc<Connection>) {
    if let Some(mut loan) = Loan::take(&connection) {
        connection.restart_lingering();
        if let Some(incoming) = loan.incoming.as_mut() {
            let discarding = pin!(discard(&connection, incoming));
            let expired = pin!(expired(&connection));
            select(discarding, expired).await;
        }
        loan.incoming = None;
    }
    connection.tasks.discarding.set(false);
    connection.mark_dirty();
}

/// Reads and drops input until its end.
async fn discard(connection: &Connection, incoming: &mut Incoming) {
    let mut coop = Coop::new(TURN);
    while let Some(bytes) = incoming.read_next().await {
        connection.engine.buffers().give_back(bytes);
        connection.note_piece();
        coop.spend(&connection.engine).await;
    }
    // The outcome of a connection that has ended does not change.
    if connection.outcome().is_none()
        && let Err(error) = incoming.outcome_unread().await
    {
        connection.lost(error);
    }
}

/// Waits until discarding may end: after a loss or an abort, or when the connection has lingered long enough.
async fn expired(connection: &Connection) {
    poll_fn(|cx| {
        connection.tasks.discarder.register(cx);
        let lost = matches!(connection.outcome(), Some(Err(_)));
        if lost || connection.has_lingered() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
