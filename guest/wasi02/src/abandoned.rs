//! Output streams that were given up while the host still holds bytes of theirs.
//!
//! A host may block in the drop of such a stream until the peer has taken the bytes, and a peer need not take any. So the
//! stream is kept until its drop does not block. Until then its handles are in use. Quotas get back all other handles at
//! once: a peer that takes nothing must not keep those of other connections in use.
//!
//! Peers can make thousands of such streams. They are no part of the host's `poll`, which would take time for each of them
//! in every call: the background asks the host for each of them four times a second.

use std::cell::RefCell;
use std::collections::VecDeque;

use asyncio_streams_engine::errors::saturate;

use crate::reactor::Reason;
use crate::timer::{self, Sleep};
use crate::{background, executor};

/// The part of a connection's permit that one stream keeps back. It has 2 handles: its socket and itself. A connection has 7
/// at the most, for which its permit counts at least 18.
const HANDLES: u32 = 6;

/// Nanoseconds between two looks at the streams.
const LOOK: u64 = 250_000_000;

/// Nanoseconds for which calls wait for a stream. A peer that never reads would make such a wait endless, and no call can
/// end that stream.
const AWAITED: u64 = 5_000_000_000;

thread_local! {
    static ABANDONED: RefCell<Abandoned> = const { RefCell::new(Abandoned::new()) };
}

/// Returns this many handles to a quota.
type Free = Box<dyn Fn(u32)>;

/// A stream, until it is dropped. It returns whether its drop does not block.
type Ended = Box<dyn Fn() -> bool>;

/// The streams that have not ended, and the handles that quotas did not get back because of them.
struct Abandoned {
    streams: Vec<Stream>,
    /// The background looks at the streams.
    looking: bool,
    /// Handles that are kept back: the sum of `late`, at most those that the streams use.
    kept: u32,
    late: VecDeque<(u32, Free)>,
}

struct Stream {
    ended: Ended,
    given_up: u64,
    /// Calls wait for it.
    awaited: Option<Reason>,
}

/// Keeps a stream until `ended`, which owns it, returns true.
pub(crate) fn keep(ended: impl Fn() -> bool + 'static) {
    let begins = ABANDONED.with_borrow_mut(|abandoned| {
        abandoned.add(Box::new(ended), timer::now());
        !std::mem::replace(&mut abandoned.looking, true)
    });
    if begins {
        background::spawn(Box::pin(look()));
    }
}

/// Looks at the streams until there are none.
async fn look() {
    loop {
        if end_streams(timer::now()) {
            // A host may report only some of many that have ended, until it was asked for what is ready.
            executor::next_round().await;
        } else {
            Sleep::beside_others(timer::now().saturating_add(LOOK)).await;
        }
        if ABANDONED.with_borrow_mut(Abandoned::is_over) {
            return;
        }
    }
}

/// Drops the streams that have ended; returns whether there were any.
fn end_streams(now: u64) -> bool {
    let ended = ABANDONED.with_borrow_mut(|abandoned| abandoned.take_ended(now));
    let any = !ended.is_empty();
    // No borrow is held while streams are dropped and quotas react.
    drop(ended);
    while let Some((handles, free)) = ABANDONED.with_borrow_mut(Abandoned::due) {
        free(handles);
    }
    any
}

/// Returns `handles` to a quota by `free`: at once, except for as many as streams use that no quota has counted since they
/// were given up. Those follow when streams end.
pub(crate) fn give_back(handles: u32, free: Free) {
    let kept = ABANDONED.with_borrow(|abandoned| abandoned.uncounted().min(handles));
    let now = handles.saturating_sub(kept);
    if now > 0 {
        free(now);
    }
    if kept > 0 {
        ABANDONED.with_borrow_mut(|abandoned| abandoned.keep_back(kept, free));
    }
}

impl Abandoned {
    const fn new() -> Self {
        Abandoned {
            streams: Vec::new(),
            looking: false,
            kept: 0,
            late: VecDeque::new(),
        }
    }

    fn add(&mut self, ended: Ended, now: u64) {
        self.streams.push(Stream {
            ended,
            given_up: now,
            awaited: Some(Reason::new()),
        });
    }

    /// Takes out the streams that have ended.
    fn take_ended(&mut self, now: u64) -> Vec<Stream> {
        for stream in &mut self.streams {
            if now.saturating_sub(stream.given_up) >= AWAITED {
                stream.awaited = None;
            }
        }
        self.streams
            .extract_if(.., |stream| (stream.ended)())
            .collect()
    }

    /// Returns whether there are no streams, and notes that the background stops looking then.
    fn is_over(&mut self) -> bool {
        self.looking = !self.streams.is_empty();
        !self.looking
    }

    /// Returns how many handles the streams use.
    fn used(&self) -> u32 {
        HANDLES.saturating_mul(saturate(self.streams.len()))
    }

    /// Returns how many handles the streams use beyond those that are kept back.
    fn uncounted(&self) -> u32 {
        self.used().saturating_sub(self.kept)
    }

    fn keep_back(&mut self, handles: u32, free: Free) {
        self.kept = self.kept.saturating_add(handles);
        self.late.push_back((handles, free));
    }

    /// Takes handles that are kept back although no stream uses them any more.
    fn due(&mut self) -> Option<(u32, Free)> {
        let due = self.kept.saturating_sub(self.used());
        let (handles, _) = self.late.front()?;
        // A quota gets a part back with all of it.
        if *handles > due {
            return None;
        }
        self.kept = self.kept.saturating_sub(*handles);
        self.late.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// Returns a count, and a function that adds to it.
    fn counted() -> (Rc<Cell<u32>>, Free) {
        let freed = Rc::new(Cell::new(0));
        let count = freed.clone();
        (freed, Box::new(move |n| count.set(count.get() + n)))
    }

    /// Gives up a stream, which ends when the result is set.
    fn give_up() -> Rc<Cell<bool>> {
        let ended = Rc::new(Cell::new(false));
        let end = ended.clone();
        ABANDONED.with_borrow_mut(|abandoned| abandoned.add(Box::new(move || end.get()), 0));
        ended
    }

    #[test]
    fn without_streams_all_is_returned_at_once() {
        let (freed, free) = counted();
        give_back(24, free);
        assert_eq!(freed.get(), 24);
    }

    #[test]
    fn a_stream_keeps_back_its_own_handles_only() {
        let ended = give_up();
        let (freed, free) = counted();
        give_back(24, free);
        assert_eq!(freed.get(), 18);
        for _ in 0..10_000 {
            let (freed, free) = counted();
            give_back(18, free);
            assert_eq!(freed.get(), 18);
        }
        assert!(!end_streams(0));
        assert_eq!(freed.get(), 18);
        ended.set(true);
        assert!(end_streams(0));
        assert_eq!(freed.get(), 24);
    }

    #[test]
    fn small_permits_wait_for_a_stream_together() {
        let ended = give_up();
        let permits = [(); 5].map(|()| {
            let (freed, free) = counted();
            give_back(2, free);
            freed
        });
        assert_eq!(permits.each_ref().map(|freed| freed.get()), [0, 0, 0, 2, 2]);
        ended.set(true);
        assert!(end_streams(0));
        assert_eq!(permits.map(|freed| freed.get()), [2; 5]);
    }

    #[test]
    fn a_stream_that_ends_returns_what_another_one_keeps_back() {
        let goes_on = give_up();
        let (first, free) = counted();
        give_back(24, free);
        let ended = give_up();
        let (second, free) = counted();
        give_back(24, free);
        assert_eq!((first.get(), second.get()), (18, 18));
        ended.set(true);
        assert!(end_streams(0));
        // The streams are counted, whichever quota they are counted by.
        assert_eq!(first.get() + second.get(), 42);
        goes_on.set(true);
        assert!(end_streams(0));
        assert_eq!(first.get() + second.get(), 48);
    }

    #[test]
    fn no_call_waits_for_a_stream_that_takes_long() {
        let ended = give_up();
        let awaited = || {
            ABANDONED.with_borrow(|abandoned| {
                let streams = abandoned.streams.iter();
                streams.filter(|stream| stream.awaited.is_some()).count()
            })
        };
        end_streams(AWAITED - 1);
        assert_eq!(awaited(), 1);
        end_streams(AWAITED);
        assert_eq!(awaited(), 0);
        ended.set(true);
        assert!(end_streams(AWAITED));
    }

    #[test]
    fn the_background_looks_until_the_last_stream_ends() {
        let ended = give_up();
        assert!(!ABANDONED.with_borrow_mut(Abandoned::is_over));
        ended.set(true);
        end_streams(0);
        assert!(ABANDONED.with_borrow_mut(Abandoned::is_over));
    }
}
