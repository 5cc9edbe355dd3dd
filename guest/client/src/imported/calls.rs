//! How a read finds its answer: in the mirror, from the component, or by waiting.

use crate::bindings::numbers::{self, Event};
use crate::{Error, Wanted};

use super::length;
use super::mirror::{BufferMirror, Line};
use super::number::{Answer, Number};
use super::reader::Reader;

impl Reader {
    /// Waits until there is an answer `mirrored`, or until the component has one when it is asked, which `own` makes the
    /// result of.
    pub(super) async fn answer<T>(
        &self,
        want: impl Fn() -> Wanted,
        mut mirrored: impl FnMut(&mut BufferMirror, &Number) -> Option<T>,
        ask: impl Fn(Number) -> Answer,
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
            if waited {
                // The wait ended without an answer.
                self.interest.result()?;
            }
            self.wait_for_more(want()).await?;
            waited = true;
        }
    }

    /// Puts the next line into `line`.
    #[inline]
    pub(crate) async fn next_line(&self, line: &mut Line) -> Result<(), Error> {
        if self
            .mirrored(|mirror, source| mirror.line(source, line))
            .is_none()
        {
            // The line before it need not keep a copy while this one is waited for.
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
            |number| numbers::try_readline(number.0),
            Line::Owned,
        )
        .await
    }

    /// Waits until there may be an answer.
    async fn wait_for_more(&self, want: Wanted) -> Result<(), Error> {
        let any_piece = match &want {
            Wanted::Any => true,
            // The first piece may be all of it.
            Wanted::Line => self.knows_nothing(),
            // An empty separator is an error, which must not wait for a piece.
            Wanted::Until(separators) => {
                self.knows_nothing() && separators.iter().all(|one| !one.is_empty())
            }
            // A number above the maximum is an error, too.
            Wanted::Exactly(_) | Wanted::End => false,
        };
        if self.shared.get() {
            return self.wait_for_input(want).await;
        }
        self.before_wait()?;
        let want = if any_piece { Wanted::Any } else { want };
        let number = self.number().0;
        self.interest.fired(number, Event::Readable(want)).await
    }

    /// Waits for the component to be able to answer.
    pub(super) async fn wait_for_input(&self, want: Wanted) -> Result<(), Error> {
        self.before_wait()?;
        if self.shared.get() {
            // Other code knows of no wait that has not begun.
            return Ok(self.raw.wait(want).await?);
        }
        let number = self.number().0;
        self.interest.wait(number, Event::Readable(want)).await
    }

    fn before_wait(&self) -> Result<(), Error> {
        self.parked.drop_call();
        self.settle()?;
        self.forget();
        Ok(())
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

    /// Returns whether `wait` is sure to answer at once.
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
            true => self.mirror.borrow_mut().peek(&self.number(), n),
            false => None,
        }
    }

    pub(super) fn discarded(&self, n: usize) -> bool {
        self.mirrored(|mirror, _| Some(mirror.discard(n))) == Some(true)
    }

    /// Returns the number of buffered bytes.
    pub(super) fn unread(&self) -> usize {
        let mirror = self.mirror.borrow();
        match mirror.buffered() {
            Some(known) if self.alone() => known,
            _ => mirror.unread_there(&self.number()),
        }
    }

    /// Returns what the mirror can answer; ends a wait that a poll left behind.
    pub(super) fn mirrored<T>(
        &self,
        answer: impl FnOnce(&mut BufferMirror, &Number) -> Option<T>,
    ) -> Option<T> {
        self.parked.drop_call();
        match self.alone() {
            true => answer(&mut self.mirror.borrow_mut(), &self.number()),
            false => None,
        }
    }

    /// Returns whether nothing is buffered that was not taken, for all that is known.
    fn knows_nothing(&self) -> bool {
        self.alone() && self.mirror.borrow().buffered() == Some(0)
    }

    pub(super) fn knows_all(&self) -> bool {
        let mirror = self.mirror.borrow();
        self.alone() && mirror.buffered() == Some(mirror.unread().len())
    }

    /// Returns whether nothing can touch the component's buffer while this side answers: no wait lets input
    /// in, and no other code reads.
    fn alone(&self) -> bool {
        !self.interest.is_waiting() && !self.shared.get()
    }
}

/// Towards the component.
impl Reader {
    pub(super) fn asked(
        &self,
        ask: impl FnOnce(Number) -> Answer,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.not_busy()?;
        let number = self.number();
        let mut mirror = self.mirror.borrow_mut();
        mirror.ask(&number, || Ok(ask(number)?))
    }

    /// Acknowledges what was taken from the mirror.
    pub(super) fn settle(&self) -> Result<(), Error> {
        self.not_busy()?;
        self.mirror.borrow_mut().settle(&self.number())
    }

    pub(super) fn forget(&self) {
        self.mirror.borrow_mut().forget();
    }

    /// The component does not know yet of a wait that began in this turn.
    fn not_busy(&self) -> Result<(), Error> {
        match self.interest.is_pending() {
            true => Err(Error::Busy),
            false => Ok(()),
        }
    }
}
