//! The handlers of a server, as futures of one task.
//!
//! Each call of the handler is a task of the component model. If each ran its own handler, an event for another task's
//! connection would wake that task by the host, for each message. So the first call runs the handlers of all calls that
//! come while it has any, also after it has returned; the other calls wait for their results.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use asyncio_streams_wasi03::{FutureSet, spawn};
use futures::channel::oneshot;
use futures::future::{Either, select};

/// Runs a handler, and returns its result.
///
/// # Cancelling
/// Dropping the call drops the handler, in the next turn of the task that runs it.
pub async fn handle<T: 'static>(handler: impl Future<Output = T> + 'static) -> T {
    let (mut sender, receiver) = oneshot::channel();
    Crowd::join(Box::pin(async move {
        let dropped = sender.cancellation();
        let outcome = match select(Box::pin(handler), dropped).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => return,
        };
        // This fails if the call was dropped, which needs no outcome.
        let _ = sender.send(outcome);
    }));
    match receiver.await {
        Ok(outcome) => outcome,
        // The task that runs the handlers ends after all of them: this is not reached.
        Err(oneshot::Canceled) => pending().await,
    }
}

type Handling = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// The handlers that run; none without a task that runs them.
    static CROWD: RefCell<Option<Crowd>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Crowd {
    /// Those that the task has not taken yet.
    new: Vec<Handling>,
    /// Wakes the task.
    waker: Option<Waker>,
}

impl Crowd {
    /// Adds a handler. If no task runs any, the running one does so from now on.
    fn join(handling: Handling) {
        let (waker, is_first) = CROWD.with_borrow_mut(|crowd| {
            let is_first = crowd.is_none();
            let crowd = crowd.get_or_insert_default();
            crowd.new.push(handling);
            (crowd.waker.take(), is_first)
        });
        if is_first {
            spawn(run());
        } else if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns the new handlers, and has the next one wake `cx`.
    fn take_new(cx: &Context<'_>) -> Vec<Handling> {
        CROWD.with_borrow_mut(|crowd| {
            let crowd = crowd.get_or_insert_default();
            crowd.waker = Some(cx.waker().clone());
            take(&mut crowd.new)
        })
    }

    /// Lets the next handler begin a task of its own, unless one has come meanwhile.
    fn end() -> bool {
        CROWD.with_borrow_mut(|crowd| {
            let is_over = crowd.as_ref().is_none_or(|crowd| crowd.new.is_empty());
            if is_over {
                *crowd = None;
            }
            is_over
        })
    }
}

/// Runs handlers until there are none.
async fn run() {
    let mut handlers = FutureSet::new();
    poll_fn(|cx| {
        loop {
            handlers.extend(Crowd::take_new(cx));
            match handlers.poll(cx) {
                Poll::Ready(()) if Crowd::end() => return Poll::Ready(()),
                Poll::Ready(()) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
