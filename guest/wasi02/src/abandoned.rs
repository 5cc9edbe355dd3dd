//! Output streams that were given up while the host still holds bytes of theirs.
//!
//! A host may block in the drop of such a stream until the peer has taken the bytes, and a peer need not take any. So the
//! drop waits in the background until it does not block. Until then the handles of the stream are in use. Quotas get back
//! all other handles at once: a peer that takes nothing must not keep those of other connections in use.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;

use crate::background;

/// The part of a connection's permit that one stream keeps back. It has 3 handles: its socket, itself and its pollable. A
/// connection has 7 at the most, for which its permit counts at least 18.
const HANDLES: u32 = 8;

thread_local! {
    static ABANDONED: RefCell<Abandoned> = RefCell::default();
}

/// Returns this many handles to a quota.
type Free = Box<dyn Fn(u32)>;

/// The streams that have not ended, and the handles that quotas did not get back because of them.
#[derive(Default)]
struct Abandoned {
    /// Handles of the streams.
    used: u32,
    /// Handles that are kept back: the sum of `late`, at most `used`.
    kept: u32,
    late: VecDeque<(u32, Free)>,
}

/// Runs the end of a stream in the background.
pub(crate) fn end(ending: impl Future<Output = ()> + 'static) {
    ABANDONED.with_borrow_mut(Abandoned::begin);
    background::spawn(Box::pin(async move {
        ending.await;
        ABANDONED.with_borrow_mut(Abandoned::end);
        // No borrow is held while quotas react.
        while let Some((handles, free)) = ABANDONED.with_borrow_mut(Abandoned::due) {
            free(handles);
        }
    }));
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
    fn begin(&mut self) {
        self.used = self.used.saturating_add(HANDLES);
    }

    fn end(&mut self) {
        debug_assert!(self.used >= HANDLES, "each stream ends once");
        self.used = self.used.saturating_sub(HANDLES);
    }

    /// Returns how many handles the streams use beyond those that are kept back.
    fn uncounted(&self) -> u32 {
        self.used.saturating_sub(self.kept)
    }

    fn keep_back(&mut self, handles: u32, free: Free) {
        self.kept = self.kept.saturating_add(handles);
        self.late.push_back((handles, free));
    }

    /// Takes handles that are kept back although no stream uses them any more.
    fn due(&mut self) -> Option<(u32, Free)> {
        let due = self.kept.saturating_sub(self.used);
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

    /// Polls the background, in which streams end.
    fn ended() {
        background::run();
    }

    #[test]
    fn without_streams_all_is_returned_at_once() {
        let (freed, free) = counted();
        give_back(24, free);
        assert_eq!(freed.get(), 24);
    }

    #[test]
    fn a_stream_keeps_back_its_own_handles_only() {
        let (end_stream, ending) = futures::channel::oneshot::channel::<()>();
        end(async {
            let _ = ending.await;
        });
        let (freed, free) = counted();
        give_back(24, free);
        assert_eq!(freed.get(), 16);
        for _ in 0..10_000 {
            let (freed, free) = counted();
            give_back(18, free);
            assert_eq!(freed.get(), 18);
        }
        ended();
        assert_eq!(freed.get(), 16);
        drop(end_stream);
        ended();
        assert_eq!(freed.get(), 24);
    }

    #[test]
    fn small_permits_wait_for_a_stream_together() {
        let (end_stream, ending) = futures::channel::oneshot::channel::<()>();
        end(async {
            let _ = ending.await;
        });
        let permits = [(); 5].map(|()| {
            let (freed, free) = counted();
            give_back(3, free);
            freed
        });
        assert_eq!(permits.each_ref().map(|freed| freed.get()), [0, 0, 1, 3, 3]);
        drop(end_stream);
        ended();
        assert_eq!(permits.map(|freed| freed.get()), [3; 5]);
    }

    #[test]
    fn a_stream_that_ends_returns_what_another_one_keeps_back() {
        let (_goes_on, never) = futures::channel::oneshot::channel::<()>();
        end(async {
            let _ = never.await;
        });
        let (first, free) = counted();
        give_back(24, free);
        end(async {});
        let (second, free) = counted();
        give_back(24, free);
        assert_eq!((first.get(), second.get()), (16, 16));
        ended();
        // The streams are counted, whichever quota they are counted by.
        assert_eq!(first.get() + second.get(), 40);
    }
}
