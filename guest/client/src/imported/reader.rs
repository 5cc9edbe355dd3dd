//! The reader of a composed program: a resource of the component, and a mirror of its buffer.

use std::cell::{Cell, RefCell};
use std::convert::identity;

use crate::bindings::{numbers, streams};
use crate::parked::Parked;
use crate::read::Read;
use crate::{ByteReader, Error, Wanted};

use super::mirror::BufferMirror;
use super::number::{Answer, Number};
use super::waits::Interest;
use super::{length, size};

/// Reads are answered from the mirror, by a call of the component that cannot be pending, or after a wait that takes nothing.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The wait that a poll began. It comes before the resource, which must not be dropped before it.
    pub(super) parked: Parked,
    /// It comes before the resource, so that the watch forgets it first.
    pub(super) interest: Interest,
    pub(super) raw: streams::Reader,
    /// 0 until it is asked for.
    number: Cell<u64>,
    pub(super) mirror: RefCell<BufferMirror>,
    /// Other code may read past this reader.
    pub(super) shared: Cell<bool>,
}

impl Reader {
    pub(super) fn new(raw: streams::Reader) -> Self {
        Self::numbered(raw, 0)
    }

    /// Makes one whose number is known, unless it is 0.
    pub(super) fn numbered(raw: streams::Reader, number: u64) -> Self {
        Reader {
            parked: Parked::default(),
            interest: Interest::default(),
            raw,
            number: Cell::new(number),
            mirror: RefCell::default(),
            shared: Cell::new(false),
        }
    }

    pub(super) fn into_raw(self) -> streams::Reader {
        self.parked.drop_call();
        // No call waits on a reader that is owned, so nothing prevents acknowledging.
        let _ = self.settle();
        self.raw
    }

    pub(super) fn number(&self) -> Number {
        if self.number.get() == 0 {
            self.number.set(numbers::reader_number(&self.raw));
        }
        Number(self.number.get())
    }

    pub(crate) async fn read(&self, read: Read<'_>) -> Result<Vec<u8>, Error> {
        match read {
            Read::ToEnd => self.read_to_end().await,
            Read::Lines(_) | Read::Until([] | [_, _, ..]) => loop {
                if let Some(bytes) = self.try_read(read)? {
                    return Ok(bytes);
                }
                self.wait_for_input(wanted(read)).await?;
            },
            read => {
                let mirrored = |mirror: &mut BufferMirror, source: &_| take(mirror, source, read);
                let wanted = || wanted(read);
                self.answer(wanted, mirrored, |number| ask(number, read), identity)
                    .await
            }
        }
    }

    async fn read_to_end(&self) -> Result<Vec<u8>, Error> {
        self.wait(Wanted::End).await?;
        if let Some(all) = self.take_all() {
            return Ok(all);
        }
        self.forget();
        // Answered inside the call, after that wait: dropping it cannot lose what it took.
        Ok(self.raw.read(None).await?)
    }

    pub(crate) fn try_read(&self, read: Read<'_>) -> Result<Option<Vec<u8>>, Error> {
        let mirrored = |mirror: &mut BufferMirror, source: &_| take(mirror, source, read);
        match self.mirrored(mirrored) {
            Some(bytes) => Ok(Some(bytes)),
            None => self.asked(|number| ask(number, read)),
        }
    }

    pub(crate) async fn wait(&self, want: Wanted) -> Result<(), Error> {
        match self.satisfies(&want) {
            true => Ok(()),
            false => self.wait_for_input(want).await,
        }
    }

    pub(crate) fn peek(&self, n: usize) -> Vec<u8> {
        match self.peeked(n) {
            Some(bytes) => bytes,
            None => {
                // While a call waits there is nothing to acknowledge.
                let _ = self.settle();
                self.raw.peek(size(n))
            }
        }
    }

    pub(crate) fn discard(&self, n: usize) -> Result<usize, Error> {
        if self.discarded(n) {
            return Ok(n);
        }
        self.settle()?;
        let dropped = self.raw.discard(size(n));
        self.forget();
        Ok(length(dropped?))
    }

    pub(crate) fn buffered(&self) -> usize {
        self.unread()
    }

    pub(crate) fn at_eof(&self) -> bool {
        // While a call waits there is nothing to acknowledge.
        let _ = self.settle();
        self.raw.at_eof()
    }

    pub(crate) fn exception(&self) -> Option<Error> {
        self.raw.exception().map(Error::from)
    }

    pub(crate) fn limit(&self) -> usize {
        length(self.raw.limit())
    }

    pub(crate) fn cancel(&self) {
        self.interest.cancel();
        self.raw.cancel();
    }

    pub(crate) async fn give_away(
        &self,
    ) -> Result<(ByteReader, impl Future<Output = Result<(), Error>> + use<>), Error> {
        self.parked.drop_call();
        self.settle()?;
        self.forget();
        let (stream, end) = self.raw.into_stream().await?;
        Ok((stream, async move { Ok(end.await?) }))
    }

    /// Returns the resource, for a call that concerns what is buffered there.
    ///
    /// # Errors
    /// - [`Error::Busy`]: a read or wait is pending.
    pub(super) fn settled(&self) -> Result<&streams::Reader, Error> {
        self.settle()?;
        self.forget();
        Ok(&self.raw)
    }

    /// Returns the resource for other code, which may read past the mirror from here on.
    pub(super) fn share(&self) -> &streams::Reader {
        self.parked.drop_call();
        // While a call waits there is nothing to acknowledge.
        let _ = self.settle();
        self.forget();
        self.shared.set(true);
        &self.raw
    }
}

/// Takes the result of a read out of the mirror.
fn take(mirror: &mut BufferMirror, source: &Number, read: Read<'_>) -> Option<Vec<u8>> {
    match read {
        Read::Some(n) => mirror.read(source, n),
        Read::Line => mirror.readline(source),
        Read::Exactly(n) => mirror.readexactly(source, n),
        Read::Until([one]) => mirror.readuntil(source, one),
        // The component finds which of several separators ends first.
        Read::Until(_) | Read::ToEnd | Read::Lines(_) => None,
    }
}

/// Has the component answer a read, if it need not wait.
fn ask(Number(reader): Number, read: Read<'_>) -> Answer {
    match read {
        Read::Some(n) => numbers::try_read(reader, size(n)),
        Read::Line => numbers::try_readline(reader),
        Read::Exactly(n) => numbers::try_readexactly(reader, size(n)),
        Read::Until(separators) => numbers::try_readuntil(reader, separators),
        Read::Lines(max_bytes) => numbers::try_readlines(reader, size(max_bytes)),
        Read::ToEnd => Ok(None),
    }
}

/// Returns what a read waits for.
fn wanted(read: Read<'_>) -> Wanted {
    match read {
        Read::Some(_) => Wanted::Any,
        Read::ToEnd => Wanted::End,
        Read::Line | Read::Lines(_) => Wanted::Line,
        Read::Exactly(n) => Wanted::Exactly(size(n)),
        Read::Until(separators) => {
            Wanted::Until(separators.iter().map(|one| one.to_vec()).collect())
        }
    }
}
