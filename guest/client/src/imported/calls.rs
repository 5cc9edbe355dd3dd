//! How a read finds its answer: in the mirror, from the component, or by waiting.

use std::cell::Cell;

use super::mirror::{BufferMirror, Line, Source};
use super::turn::Turn;
use crate::bindings::{streams, types, words};
use crate::{Error, NetworkCode, NetworkError, Wanted};

use super::reader::Reader;
use super::{length, size};

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

/// The result of a `try-` read of the component.
pub(super) type Answer = Result<Option<Vec<u8>>, types::Error>;

impl Reader {
    /// Waits until there is an answer `mirrored`, or until the component has one when it is asked, which `own` makes the
    /// result of.
    pub(super) async fn answer<T>(
        &self,
        want: impl Fn() -> Wanted,
        mut mirrored: impl FnMut(&mut BufferMirror, &streams::Reader) -> Option<T>,
        ask: impl Fn(&streams::Reader) -> Answer,
        own: impl Fn(Vec<u8>) -> T,
    ) -> Result<T, Error> {
        let mut waited = false;
        loop {
            if let Some(answer) = self.mirrored(&mut mirrored) {
                return Ok(answer);
            }
            // Before the wait the component has nothing more than the mirror, which has no answer. After it, there is an
            // answer, if only an error.
            if (waited || !self.knows_all())
                && let Some(bytes) = self.asked(&ask)?
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
            .mirrored(|mirror, source| mirror.line(source, line))
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
            |mirror, source| {
                let mut line = Line::Owned(Vec::new());
                mirror.line(source, &mut line).map(|()| line)
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
        let wait = self.mirror.borrow_mut().before_wait(&self.raw);
        let most = least.clamp(BLOCK, LARGE_BLOCK);
        let _waiting = Waiting::begin(&self.waiting);
        let front = words::wait_front(&self.raw, wait.position, size(least), size(most)).await;
        let front = front.map_err(no_front)?;
        Ok(self.mirror.borrow_mut().after_wait(&wait, front, least))
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

/// The reads that the mirror can answer.
impl Reader {
    /// Everything to the end, if that has come.
    pub(super) fn take_all(&self) -> Option<Vec<u8>> {
        if self.raw.exception().is_some() {
            return None;
        }
        self.mirrored(|mirror, source| mirror.take_all(source))
    }

    /// Whether `wait` is sure to answer at once.
    pub(super) fn satisfies(&self, want: &Wanted) -> bool {
        let satisfied = self.mirrored(|mirror, _| {
            Some(match want {
                Wanted::Any => !mirror.unread().is_empty(),
                Wanted::Line => mirror.has_line(),
                Wanted::Exactly(n) => mirror.buffered().is_some_and(|there| length(*n) <= there),
                Wanted::Until(separators) => match separators.as_slice() {
                    [one] => mirror.has(one),
                    _ => false,
                },
                Wanted::End => false,
            })
        });
        satisfied == Some(true)
    }

    pub(super) fn peeked(&self, n: usize) -> Option<Vec<u8>> {
        match self.alone() {
            true => self.mirror.borrow_mut().peek(&self.raw, n),
            false => None,
        }
    }

    pub(super) fn discarded(&self, n: usize) -> bool {
        self.mirrored(|mirror, _| Some(mirror.discard(n))) == Some(true)
    }

    /// How many bytes are buffered.
    pub(super) fn unread(&self) -> usize {
        let mirror = self.mirror.borrow();
        match mirror.buffered() {
            Some(known) if self.alone() => known,
            _ => mirror.unread_there(&self.raw),
        }
    }

    /// Returns what the mirror can answer; ends a wait that a poll left behind.
    pub(super) fn mirrored<T>(
        &self,
        answer: impl FnOnce(&mut BufferMirror, &streams::Reader) -> Option<T>,
    ) -> Option<T> {
        self.parked.drop_call();
        match self.alone() {
            true => answer(&mut self.mirror.borrow_mut(), &self.raw),
            false => None,
        }
    }

    /// Whether nothing is buffered that was not taken, for all that is known.
    fn knows_nothing(&self) -> bool {
        self.alone() && self.mirror.borrow().buffered() == Some(0)
    }

    pub(super) fn knows_all(&self) -> bool {
        let mirror = self.mirror.borrow();
        self.alone() && mirror.buffered() == Some(mirror.unread().len())
    }

    /// Whether nothing can touch the component's buffer while this side answers: no wait lets input
    /// in, and nobody else reads.
    fn alone(&self) -> bool {
        self.waiting.get() == 0 && !self.shared.get() && !self.parked.is_pending()
    }
}

/// Towards the component.
impl Reader {
    pub(super) fn asked(
        &self,
        ask: impl FnOnce(&streams::Reader) -> Answer,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut mirror = self.mirror.borrow_mut();
        mirror.ask(&self.raw, || Ok(ask(&self.raw)?))
    }

    /// Acknowledges what was taken from the mirror.
    pub(super) fn settle(&self) -> Result<(), Error> {
        self.mirror.borrow_mut().settle(&self.raw)
    }

    pub(super) fn forget(&self) {
        self.mirror.borrow_mut().forget();
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
