//! Running one blocking call to its end.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::flag::Flag;
use crate::reactor::{Patience, Woken};
use crate::{background, reactor, timer};

/// Calls answered from memory after which one moves the bytes of all connections.
const AT_ONCE: u32 = 64;

thread_local! {
    static TURN: Cell<u64> = const { Cell::new(0) };
    static ANSWERED: Cell<u32> = const { Cell::new(0) };
}

/// How long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(Option<u64>);

impl Timeout {
    /// A timeout that begins now, in nanoseconds; `None` is without end, and 0 does not wait.
    pub fn new(nanoseconds: Option<u64>) -> Self {
        Timeout(nanoseconds.map(|nanoseconds| match nanoseconds {
            0 => 0,
            some => timer::now().saturating_add(some),
        }))
    }

    fn patience(self) -> Patience {
        match self.0 {
            None => Patience::Endless,
            Some(0) => Patience::None,
            Some(until) => Patience::Until(until),
        }
    }

    fn is_over(self) -> bool {
        self.0
            .is_some_and(|until| until == 0 || timer::now() >= until)
    }
}

/// Why a call ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The timeout passed.
    TimedOut,
    /// Nothing that is waited for can ever happen.
    Stuck,
}

/// Runs `future` to its end, and the background beside it. The future is polled at least once.
///
/// # Errors
///
/// The future was dropped before its end: the timeout passed, or nothing can end it.
pub fn block_on<T>(future: impl Future<Output = T>, timeout: Timeout) -> Result<T, Ended> {
    let mut future = pin!(future);
    let mut result = None;
    let polled = poll_fn(|cx| future.as_mut().poll(cx).map(|ready| result = Some(ready)));
    run(pin!(polled), timeout)?;
    result.ok_or(Ended::Stuck)
}

/// Runs a future without a result, as [`block_on`] does. All calls share its code.
fn run(mut future: Pin<&mut dyn Future<Output = ()>>, timeout: Timeout) -> Result<(), Ended> {
    ANSWERED.set(0);
    let woken = Flag::set();
    let waker = woken.waker();
    let mut over = false;
    loop {
        TURN.set(TURN.get().wrapping_add(1));
        if woken.take()
            && future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
        {
            // The background sends the bytes of this task together with those of others.
            move_now();
            return Ok(());
        }
        move_now();
        if over && !woken.is_set() {
            return Err(Ended::TimedOut);
        }
        if over {
            // One more poll for what has come with the last look at the host, and no more: a fast peer always has more.
            TURN.set(TURN.get().wrapping_add(1));
            return match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(()) => Ok(()),
                Poll::Pending => Err(Ended::TimedOut),
            };
        }
        let busy = woken.is_set() || background::is_woken();
        let patience = if busy {
            Patience::None
        } else {
            timeout.patience()
        };
        if reactor::wait(patience) == Woken::Nothing {
            return Err(Ended::Stuck);
        }
        over = timeout.is_over();
    }
}

/// Moves what can move without asking the host for what is ready: an aborted connection ends now, not in the next call that waits.
pub fn move_now() {
    if background::is_woken() {
        background::run();
    }
}

/// Notes a call that was answered from memory. Many of them in a row move the bytes of all connections once.
pub fn answered_at_once() {
    let answered = ANSWERED.get().saturating_add(1);
    ANSWERED.set(answered);
    if answered >= AT_ONCE {
        // It has nothing to wait for.
        let _ = block_on(next_round(), Timeout(Some(0)));
    }
}

/// Waits until the host was asked once more for what is ready.
pub async fn next_round() {
    let this = turn();
    poll_fn(|cx| {
        if turn() != this {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Returns the number of the current turn.
pub(crate) fn turn() -> u64 {
    TURN.get()
}
