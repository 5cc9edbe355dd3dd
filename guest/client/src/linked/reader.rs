//! The reader of a linked program: the engine's.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::{self as engine, Request, Separators};
use asyncio_streams_wasi03::{byte_stream, spawn_in_background};

use crate::parked::Parked;
use crate::read::Read;
use crate::reader::{length, size};
use crate::{ByteReader, Error, Wanted};

use super::line::Line;

pub(crate) struct Reader {
    /// The wait that a poll began.
    parked: Parked,
    engine: Rc<engine::Reader>,
    /// The position in the stream behind the line that was lent last. The engine may not know yet that it was taken.
    lent: Cell<u64>,
    /// A copy of the front of the buffer for [`Reader::fetched`], and where in the stream it begins.
    fetched: (Vec<u8>, u64),
    /// Those of the last read up to a separator: most programs ask for the same ones again.
    separators: RefCell<Option<Separators>>,
}

impl Reader {
    pub(super) fn new(reader: engine::Reader) -> Self {
        Reader {
            parked: Parked::default(),
            engine: Rc::new(reader),
            lent: Cell::new(0),
            fetched: (Vec::new(), 0),
            separators: RefCell::new(None),
        }
    }

    fn request(&self, read: Read<'_>) -> Result<Request, Error> {
        Ok(match read {
            Read::Some(n) => Request::Read(n),
            Read::ToEnd => Request::ReadToEnd,
            Read::Line => Request::Readline,
            Read::Exactly(n) => Request::Readexactly(n),
            Read::Until(separators) => Request::Readuntil(self.separators(separators)?),
            Read::Lines(max_bytes) => Request::Readlines(max_bytes),
        })
    }

    fn separators(&self, separators: &[&[u8]]) -> Result<Separators, Error> {
        let mut last = self.separators.borrow_mut();
        if let Some(last) = last.as_ref().filter(|last| last.are(separators)) {
            return Ok(last.clone());
        }
        let separators = separators.iter().map(|one| one.to_vec()).collect();
        let separators = Separators::new(separators)?;
        *last = Some(separators.clone());
        Ok(separators)
    }

    /// Returns the engine's reader; ends a wait that a poll left behind.
    pub(super) fn engine(&self) -> &engine::Reader {
        self.parked.drop_call();
        self.settled()
    }

    /// Returns the engine's reader after it was told which lines were lent.
    fn settled(&self) -> &engine::Reader {
        let taken = self.engine.look(|buffer| buffer.taken());
        let lent = self.lent.get().saturating_sub(taken);
        if lent > 0 {
            // No line is lent while a read or a wait is pending, so this is never busy.
            let _ = self
                .engine
                .discard(usize::try_from(lent).unwrap_or(usize::MAX));
        }
        &self.engine
    }

    pub(crate) async fn read(&self, read: Read<'_>) -> Result<Vec<u8>, Error> {
        let request = self.request(read)?;
        let reader = self.engine();
        // Most reads find what they want. One that does costs less than the future of one that waits.
        if let Some(bytes) = reader.try_read(&request)? {
            return Ok(bytes);
        }
        Ok(reader.read(&request).await?)
    }

    pub(crate) fn try_read(&self, read: Read<'_>) -> Result<Option<Vec<u8>>, Error> {
        let request = self.request(read)?;
        Ok(self.engine().try_read(&request)?)
    }

    #[inline]
    pub(crate) async fn next_line(&self, line: &mut Line) -> Result<(), Error> {
        if self.lend(line) {
            return Ok(());
        }
        let reader = self.engine();
        reader.look(|buffer| {
            let longest = buffer.limit().min(buffer.max_result().saturating_sub(1));
            line.copy(buffer.peek(usize::MAX), buffer.taken(), longest);
        });
        if self.lend(line) {
            return Ok(());
        }
        reader.readline_into(line.room()).await?;
        line.filled(reader.look(|buffer| buffer.taken()));
        Ok(())
    }

    /// Goes to the next line of the copy, if nothing else was taken since the last one.
    #[inline]
    fn lend(&self, line: &mut Line) -> bool {
        let taken = self.engine.look(|buffer| buffer.taken());
        let position = self.lent.get().max(taken);
        if line.end() != position || self.engine.is_busy() || !line.next() {
            return false;
        }
        self.lent.set(line.end());
        true
    }

    pub(crate) async fn wait(&self, want: Wanted) -> Result<(), Error> {
        Ok(self.engine().wait(&wanted(want)?).await?)
    }

    pub(crate) fn peek(&self, n: usize) -> Vec<u8> {
        self.settled().look(|buffer| buffer.peek(n).to_vec())
    }

    pub(crate) fn discard(&self, n: usize) -> Result<usize, Error> {
        Ok(self.engine().discard(n)?)
    }

    pub(crate) fn buffered(&self) -> usize {
        self.settled().look(|buffer| buffer.buffered())
    }

    pub(crate) fn at_eof(&self) -> bool {
        self.settled().look(|buffer| buffer.at_eof())
    }

    pub(crate) fn exception(&self) -> Option<Error> {
        let failure = self.settled().look(|buffer| buffer.failure().cloned());
        failure.map(Error::from)
    }

    pub(crate) fn limit(&self) -> usize {
        self.settled().look(|buffer| buffer.limit())
    }

    pub(crate) fn cancel(&self) {
        self.engine.cancel();
    }

    pub(crate) async fn give_away(
        &self,
    ) -> Result<(ByteReader, impl Future<Output = Result<(), Error>> + use<>), Error> {
        let rest = self.engine().into_stream()?;
        let (to, stream) = byte_stream();
        let (outcome, ended) = futures::channel::oneshot::channel();
        spawn_in_background(async move {
            let (result, given) = rest.copy_to(Box::new(to)).await;
            // The connection counts until the outcome was taken, or cannot be any more.
            let _ = outcome.send((result, given));
        });
        let ended = async move {
            match ended.await {
                Ok((result, _given)) => result.map_err(Error::from),
                Err(_) => Ok(()),
            }
        };
        Ok((super::byte_reader(stream), ended))
    }
}

/// For futures-io's traits.
impl Reader {
    /// Reads up to as many bytes as there is room for; none at the end.
    pub(crate) fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        loop {
            ready!(self.parked.poll(cx)).transpose()?;
            let n = self.settled().look(|buffer| {
                let bytes = buffer.peek(into.len());
                if let Some(into) = into.get_mut(..bytes.len()) {
                    into.copy_from_slice(bytes);
                }
                bytes.len()
            });
            if n > 0 || into.is_empty() {
                self.settled().discard(n)?;
                return Poll::Ready(Ok(n));
            }
            // There is nothing to take but the end or a failure.
            if self.settled().try_read(&Request::Read(1))?.is_some() {
                return Poll::Ready(Ok(0));
            }
            self.park_wait();
        }
    }

    /// Waits until there are [`fetched`](Reader::fetched) bytes, or the end.
    pub(crate) fn poll_fetched(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.parked.poll(cx)).transpose()?;
            self.settled();
            let (bytes, at) = &mut self.fetched;
            self.engine.look(|buffer| {
                let taken = buffer.taken();
                if length(size_of_rest(bytes, *at, taken)) == 0 {
                    bytes.clear();
                    bytes.extend_from_slice(buffer.peek(FETCH));
                    *at = taken;
                }
            });
            if !self.fetched().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if self.settled().try_read(&Request::Read(1))?.is_some() {
                return Poll::Ready(Ok(()));
            }
            self.park_wait();
        }
    }

    /// Returns the bytes that were fetched and not yet taken.
    pub(crate) fn fetched(&mut self) -> &[u8] {
        let taken = self.settled().look(|buffer| buffer.taken());
        let (bytes, at) = &self.fetched;
        let rest = length(size_of_rest(bytes, *at, taken));
        bytes
            .get(bytes.len().saturating_sub(rest)..)
            .unwrap_or_default()
    }

    /// Takes `n` of them.
    pub(crate) fn consume_fetched(&mut self, n: usize) {
        let n = n.min(self.fetched().len());
        // A read that is pending excludes it: then these bytes are that read's.
        let _ = self.settled().discard(n);
    }

    /// Has the next poll wait for a byte or the end.
    fn park_wait(&self) {
        let reader = self.engine.clone();
        self.parked
            .park(async move { Ok(reader.wait(&engine::Wanted::Any).await?) });
    }
}

/// Bytes that are lent at once.
const FETCH: usize = 64 * 1024;

/// Returns the number of bytes behind `taken` in a copy that begins at `at`.
fn size_of_rest(bytes: &[u8], at: u64, taken: u64) -> u32 {
    let end = at.saturating_add(bytes.len() as u64);
    let rest = if taken < at {
        0
    } else {
        end.saturating_sub(taken)
    };
    size(usize::try_from(rest).unwrap_or(0))
}

fn wanted(want: Wanted) -> Result<engine::Wanted, Error> {
    Ok(match want {
        Wanted::Any => engine::Wanted::Any,
        Wanted::Line => engine::Wanted::Line,
        Wanted::Exactly(n) => engine::Wanted::Exactly(length(n)),
        Wanted::Until(separators) => engine::Wanted::Until(Separators::new(separators)?),
        Wanted::End => engine::Wanted::End,
    })
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("buffered", &self.buffered())
            .finish_non_exhaustive()
    }
}
