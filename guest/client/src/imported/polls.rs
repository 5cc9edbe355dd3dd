//! Reads that are polled, for futures-io's traits.

use std::task::{Context, Poll, ready};

use crate::bindings::numbers::{self, Event};
use crate::{Error, Wanted};

use super::reader::Reader;
use super::size;

impl Reader {
    /// Reads up to as many bytes as there is room for; none at the end.
    pub(crate) fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        loop {
            let waited = ready!(self.parked.poll(cx)).transpose()?.is_some();
            if let Some(n) = self.mirrored(|mirror, source| mirror.read_into(source, into)) {
                return Poll::Ready(Ok(n));
            }
            if (waited || !self.knows_all())
                && let Some(bytes) =
                    self.asked(|number| numbers::try_read(number.0, size(into.len())))?
            {
                let n = bytes.len().min(into.len());
                if let (Some(into), Some(bytes)) = (into.get_mut(..n), bytes.get(..n)) {
                    into.copy_from_slice(bytes);
                }
                return Poll::Ready(Ok(n));
            }
            self.park_wait()?;
        }
    }

    /// Waits until there are [`fetched`](Reader::fetched) bytes, or the end.
    pub(crate) fn poll_fetched(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // No other code can hold the resource any more.
        self.shared.set(false);
        loop {
            let waited = ready!(self.parked.poll(cx)).transpose()?.is_some();
            let there = self.mirrored(|mirror, source| Some(!mirror.fetch(source).is_empty()));
            if there == Some(true) {
                return Poll::Ready(Ok(()));
            }
            if waited {
                if self.at_eof() {
                    return Poll::Ready(Ok(()));
                }
                if let Some(error) = self.exception() {
                    return Poll::Ready(Err(error));
                }
            }
            self.park_wait()?;
        }
    }

    /// The bytes that were fetched and not yet taken.
    pub(crate) fn fetched(&mut self) -> &[u8] {
        self.mirror.get_mut().unread()
    }

    /// Takes `n` of them.
    pub(crate) fn consume_fetched(&mut self, n: usize) {
        let mirror = self.mirror.get_mut();
        mirror.discard(n.min(mirror.unread().len()));
    }

    /// Has the next poll wait for a byte or the end.
    fn park_wait(&self) -> Result<(), Error> {
        self.settle()?;
        self.forget();
        let wait = self
            .interest
            .wait(self.number().0, Event::Readable(Wanted::Any));
        self.parked.park(wait);
        Ok(())
    }
}
