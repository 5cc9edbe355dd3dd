//! How a read finds its answer: on this side, from the component, or by waiting.

use std::cell::Cell;

use crate::ahead::{Ahead, Line, Source};
use crate::bindings::{streams, types, words};
use crate::turn::Turn;
use crate::{Error, NetworkCode, NetworkError, Wanted};

use super::{Reader, length, size};

/// How many bytes a wait brings at the most, unless one read wants more.
const BLOCK: usize = 64 * 1024;

/// And then.
const LARGE_BLOCK: usize = 512 * 1024;

impl Source for streams::Reader {
    fn peek(&self, skip: u32, n: u32) -> words::Front {
        words::peek(self, skip, n)
    }

    fn discard(&self, n: u32) -> Result<u32, Error> {
        Ok(streams::Reader::discard(self, n)?)
    }
}

/// What a `try-` read of the component gives.
type Answer = Result<Option<Vec<u8>>, types::Error>;

/// The reads' ways.
impl Reader {
    /// A read that does not wait: `here` on this side, or else `ask` of the component.
    pub(super) fn try_answer(
        &self,
        here: impl FnOnce(&mut Ahead, &streams::Reader) -> Option<Vec<u8>>,
        ask: impl FnOnce(&streams::Reader) -> Answer,
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.here(here) {
            Some(bytes) => Ok(Some(bytes)),
            None => self.ask(ask),
        }
    }

    /// A read that waits until there is an answer `here`, or until the component has one when it is
    /// `ask`ed, which `own` makes the result of.
    pub(super) async fn answer<T>(
        &self,
        want: impl Fn() -> Wanted,
        mut here: impl FnMut(&mut Ahead, &streams::Reader) -> Option<T>,
        ask: impl Fn(&streams::Reader) -> Answer,
        own: impl Fn(Vec<u8>) -> T,
    ) -> Result<T, Error> {
        let mut waited = false;
        loop {
            if let Some(answer) = self.here(&mut here) {
                return Ok(answer);
            }
            // Before the wait the component has nothing more than what was found wanting here; after
            // it, there is an answer, if only an error.
            if (waited || !self.knows_all())
                && let Some(bytes) = self.ask(&ask)?
            {
                return Ok(own(bytes));
            }
            waited = !self.wait_and_fetch(want()).await?;
        }
    }

    /// Puts the next line into `line`.
    #[inline]
    pub(crate) async fn next_line(&self, line: &mut Line) -> Result<(), Error> {
        if self
            .here(|ahead, source| ahead.line(source, line))
            .is_none()
        {
            // The line before it need not keep a block while this one is waited for.
            *line = Line::Owned(Vec::new());
            *line = self.line_later().await?;
        }
        Ok(())
    }

    async fn line_later(&self) -> Result<Line, Error> {
        self.answer(
            || Wanted::Line,
            |ahead, source| {
                let mut line = Line::Owned(Vec::new());
                ahead.line(source, &mut line).map(|()| line)
            },
            streams::Reader::try_readline,
            Line::Owned,
        )
        .await
    }

    /// Waits for the component to be able to answer, or for something new to be on this side. False if this side may
    /// still have no answer although the component has one: an end, a failure.
    async fn wait_and_fetch(&self, want: Wanted) -> Result<bool, Error> {
        let least = match want {
            Wanted::Any => 1,
            Wanted::Exactly(n) => length(n),
            // The first piece may be all of it.
            Wanted::Line if self.knows_nothing() => 1,
            Wanted::Until(ref separators) if self.knows_nothing() && can_be_here(separators) => 1,
            want => {
                self.wait_for_input(want).await?;
                return Ok(false);
            }
        };
        self.fetch_input(least).await
    }

    /// Waits until `least` bytes are buffered, and copies them here. False if there are less: the stream ended or failed.
    pub(super) async fn fetch_input(&self, least: usize) -> Result<bool, Error> {
        self.parked.drop_call();
        let wait = self.ahead.borrow_mut().before_wait(&self.raw);
        let most = least.clamp(BLOCK, LARGE_BLOCK);
        let _waiting = Waiting::begin(&self.waiting);
        let front = words::wait_front(&self.raw, wait.position, size(least), size(most)).await;
        let front = front.map_err(no_front)?;
        Ok(self.ahead.borrow_mut().after_wait(&wait, front, least))
    }

    /// Waits for the component to be able to answer.
    pub(super) async fn wait_for_input(&self, want: Wanted) -> Result<(), Error> {
        self.parked.drop_call();
        self.settle()?;
        self.forget();
        let _waiting = Waiting::begin(&self.waiting);
        Ok(self.raw.wait(want).await?)
    }
}

/// What can be said on this side.
impl Reader {
    /// Everything to the end, if that has come.
    pub(super) fn take_all(&self) -> Option<Vec<u8>> {
        if self.raw.exception().is_some() {
            return None;
        }
        self.here(|ahead, source| ahead.take_all(source))
    }

    /// Whether `wait` is sure to answer at once.
    pub(super) fn satisfies(&self, want: &Wanted) -> bool {
        let satisfied = self.here(|ahead, _| {
            Some(match want {
                Wanted::Any => !ahead.unread().is_empty(),
                Wanted::Line => ahead.has_line(),
                Wanted::Exactly(n) => ahead.buffered().is_some_and(|there| length(*n) <= there),
                Wanted::Until(separators) => match separators.as_slice() {
                    [one] => ahead.has(one),
                    _ => false,
                },
                Wanted::End => false,
            })
        });
        satisfied == Some(true)
    }

    pub(super) fn peeked(&self, n: usize) -> Option<Vec<u8>> {
        match self.alone() {
            true => self.ahead.borrow_mut().peek(&self.raw, n),
            false => None,
        }
    }

    pub(super) fn discarded(&self, n: usize) -> bool {
        self.here(|ahead, _| Some(ahead.discard(n))) == Some(true)
    }

    /// How many bytes are buffered.
    pub(super) fn unread(&self) -> usize {
        let ahead = self.ahead.borrow();
        match ahead.buffered() {
            Some(known) if self.alone() => known,
            _ => ahead.unread_there(&self.raw),
        }
    }

    /// What this side can say, which ends a wait that a poll left behind.
    pub(super) fn here<T>(
        &self,
        answer: impl FnOnce(&mut Ahead, &streams::Reader) -> Option<T>,
    ) -> Option<T> {
        self.parked.drop_call();
        match self.alone() {
            true => answer(&mut self.ahead.borrow_mut(), &self.raw),
            false => None,
        }
    }

    /// Whether nothing is buffered that was not taken, for all that is known.
    fn knows_nothing(&self) -> bool {
        self.alone() && self.ahead.borrow().buffered() == Some(0)
    }

    pub(super) fn knows_all(&self) -> bool {
        let ahead = self.ahead.borrow();
        self.alone() && ahead.buffered() == Some(ahead.unread().len())
    }

    /// Whether nothing can touch the component's buffer while this side answers: no wait lets input
    /// in, and nobody else reads.
    fn alone(&self) -> bool {
        self.waiting.get() == 0 && !self.shared.get() && !self.parked.is_pending()
    }
}

/// Towards the component.
impl Reader {
    pub(super) fn ask(
        &self,
        ask: impl FnOnce(&streams::Reader) -> Answer,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut ahead = self.ahead.borrow_mut();
        ahead.ask(&self.raw, || Ok(ask(&self.raw)?))
    }

    /// Tells the component what was taken here.
    pub(super) fn settle(&self) -> Result<(), Error> {
        self.ahead.borrow_mut().settle(&self.raw)
    }

    pub(super) fn forget(&self) {
        self.ahead.borrow_mut().forget();
    }
}

/// Whether such a separator can be found on this side; the component judges all others.
fn can_be_here(separators: &[Vec<u8>]) -> bool {
    matches!(separators, [one] if !one.is_empty() && one.len() <= BLOCK)
}

fn no_front(reason: words::NoFront) -> Error {
    match reason {
        words::NoFront::Busy => Error::Busy,
        words::NoFront::Cancelled => Error::Cancelled,
        words::NoFront::OutOfResources => Error::Network(NetworkError {
            code: NetworkCode::OutOfResources,
            message: "as many bytes are buffered as a component may hold".into(),
        }),
    }
}

/// A wait that is pending, or may be: it is counted until after it is dropped.
struct Waiting<'a>(&'a Cell<u32>);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a Cell<u32>) -> Self {
        Turn::end();
        waiting.set(waiting.get().saturating_add(1));
        Waiting(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        Turn::end();
        self.0.set(self.0.get().saturating_sub(1));
    }
}
