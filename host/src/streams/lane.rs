//! Mutual exclusion of calls where the component allows one at a time: reads of a reader, accepts of a server,
//! streams into a writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Error;

/// Refuses a second call as busy while one is pending. A call whose future was dropped does not count: the next call
/// waits until the component has ended it.
#[derive(Clone, Default)]
pub(super) struct Lane {
    lane: Arc<Mutex<()>>,
    abandoned: Arc<AtomicBool>,
}

/// The right to call: held by the caller and by its calls in the component.
#[derive(Clone)]
pub(super) struct Turn {
    _guard: Arc<OwnedMutexGuard<()>>,
}

/// The caller's side of a turn.
pub(super) struct Caller {
    turn: Turn,
    _leave: Leave,
}

/// Records on drop that the caller is gone; its call may still run.
struct Leave(Arc<AtomicBool>);

impl Lane {
    /// Waits for a call whose caller is gone, if there is one.
    pub(super) async fn settle(&self) {
        if self.abandoned.load(SeqCst) {
            drop(self.lane.lock().await);
        }
    }

    pub(super) async fn enter(&self) -> Result<Caller, Error> {
        let free = Arc::clone(&self.lane).try_lock_owned();
        // Only one call may wait for an abandoned one; for the others, that call is the pending one.
        let follows = self.abandoned.swap(false, SeqCst);
        let leave = Leave(Arc::clone(&self.abandoned));
        let guard = match free {
            Ok(guard) => guard,
            Err(_) if follows => Arc::clone(&self.lane).lock_owned().await,
            Err(_) => {
                std::mem::forget(leave);
                return Err(Error::Busy);
            }
        };
        Ok(Caller {
            turn: Turn {
                _guard: Arc::new(guard),
            },
            _leave: leave,
        })
    }
}

impl Caller {
    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_caller_is_busy_and_one_after_a_dropped_caller_waits() {
        let lane = Lane::default();
        let first = lane.enter().await.expect("free");
        assert_eq!(lane.enter().await.err(), Some(Error::Busy));
        let call = first.turn();
        drop(first);
        let mut second = std::pin::pin!(lane.enter());
        let poll =
            std::future::poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx))).await;
        assert!(
            poll.is_pending(),
            "the component still works on the first call"
        );
        assert_eq!(
            lane.enter().await.err(),
            Some(Error::Busy),
            "the second is next"
        );
        drop(call);
        let second = second.await.expect("free again");
        assert_eq!(lane.enter().await.err(), Some(Error::Busy));
        drop(second);
        assert!(lane.enter().await.is_ok());
    }
}
