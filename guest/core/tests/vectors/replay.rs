//! Replays a case: the core's reads that answer at once, driven as asyncio's reads that wait.
//!
//! Everything is compared after each step: results, buffer, end, pause marks and their changes. Where the project means to
//! differ from asyncio, a rule says how, and the difference is checked:
//!
//! 1. An over-long line stays in the buffer. Asyncio's drop (the line if its newline was found, else everything) is
//!    applied by `discard`, and the comparison goes on.
//! 2. `read(-1)` takes nothing before the end. What asyncio has taken while it waits is still buffered here, and counts
//!    for the pause mark; when it is cancelled, asyncio's loss is applied by `discard`.
//! 3. While a read waits, every other is `busy`. Where asyncio lets it take bytes all the same (or lose them: `read(-1)`
//!    says that it is busy after that), that is applied to the buffer. The read that waits goes on from where those bytes
//!    were, then; what it gives is not compared, only what it leaves.
//! 4. A failure hides nothing, does not follow an end, and is not followed by one. Asyncio's reads all fail; here they
//!    have to agree with the model (`support/model.rs`), and no byte may be missing.
//! 5. A negative size cannot be expressed.
//!
//! Fed in pieces, a read that waits is tried after each of them, and so may see less than it did when it was recorded:
//!
//! 6. `read(n)` gives the first piece; the rest of what it gave is next in the buffer.
//! 7. An overrun may be noticed before the separator is there, with fewer bytes to consume.
//! 8. The pause mark may be set and reset in between, so that reading is not paused afterwards though it was; only between
//!    `limit` and `2 * limit`, where the mark depends on history, and at the end, where an incomplete read leaves it.

use crate::call::{call_of, expect_value, feed, too_long};
use crate::case::{Argument, Case, Error, Outcome, Step};
use crate::failed::Failed;
use crate::pieces::Pieces;
use crate::support::model::{Answer, Failure, Read};
use asyncio_streams_core::{ReadError, Reader};

const RESET: Failure = "reset";

/// Replays `case` with its bytes cut into `pieces`; says where and how it first differs.
pub(crate) fn replay(case: &Case, pieces: &mut Pieces) -> Result<(), String> {
    let reader = Reader::new(case.limit, usize::MAX).map_err(|error| error.to_string())?;
    let mut replay = Replay {
        reader,
        limit: case.limit,
        waiting: None,
        astray: false,
        held: Vec::new(),
        marks: Vec::new(),
        mark_differs: false,
        failed: None,
    };
    for (number, step) in case.steps.iter().enumerate() {
        replay
            .step(step, pieces)
            .map_err(|error| format!("step {number}, {}: {error}", step.op))?;
    }
    Ok(())
}

struct Replay {
    reader: Reader<Failure>,
    limit: usize,
    /// The read that waits.
    waiting: Option<Read>,
    /// Rule 3: one waits in asyncio, but has lost its place.
    astray: bool,
    /// What asyncio's `read(-1)` has taken while it waits.
    held: Vec<u8>,
    /// The changes of the pause mark during this step.
    marks: Vec<&'static str>,
    /// Rule 8: ours is not set though asyncio's is.
    mark_differs: bool,
    /// Once the connection has failed, rule 4.
    failed: Option<Failed>,
}

impl Replay {
    fn step(&mut self, step: &Step, pieces: &mut Pieces) -> Result<(), String> {
        self.marks.clear();
        if let Some(failed) = &mut self.failed {
            return failed.step(&mut self.reader, step, pieces);
        }
        let mut cut = false;
        match step.op.as_str() {
            "feed" => cut = self.feed(step, pieces)?,
            "eof" => {
                self.mark(Reader::feed_end);
                if self.astray {
                    self.follow_astray(step);
                    return self.compare_state(step, true);
                }
                let done = self.retry()?;
                self.settle(&step.done, done, false)?;
            }
            "exc" => {
                self.mark(|reader| reader.fail(RESET));
                if self.astray {
                    self.follow_astray(step);
                } else {
                    let done = self.retry()?;
                    self.settle(&step.done, done, false)?;
                }
                self.compare_state(step, false)?;
                self.failed = Some(Failed::new(&self.reader, std::mem::take(&mut self.held)));
                return Ok(());
            }
            "cancel" => {
                self.waiting = None;
                self.astray = false;
                let held = std::mem::take(&mut self.held).len();
                self.discard(held);
            }
            _ => self.call(step)?,
        }
        self.compare_state(step, cut)
    }

    /// Feeds and retries; tells whether a read that waited saw pieces.
    fn feed(&mut self, step: &Step, pieces: &mut Pieces) -> Result<bool, String> {
        let Some(Argument::Bytes(data)) = &step.a else {
            return Err("bytes expected".into());
        };
        let cut = self.waiting.is_some() && !pieces.is_whole();
        let mut done = None;
        for piece in pieces.cut(data) {
            self.mark(|reader| feed(reader, piece));
            if matches!(self.waiting, Some(Read::ToEnd)) {
                self.held.extend(piece);
            }
            // Asyncio wakes nobody for nothing.
            if !piece.is_empty() && self.waiting.is_some() {
                done = self.retry()?;
            }
        }
        if self.astray {
            if !data.is_empty() {
                self.follow_astray(step);
            }
            return Ok(true);
        }
        self.settle(&step.done, done, cut)?;
        Ok(cut)
    }

    fn call(&mut self, step: &Step) -> Result<(), String> {
        let read = match call_of(step)? {
            Ok(read) => read,
            Err(why) => return expect_value(&step.now, why),
        };
        if self.waiting.is_some() || self.astray {
            if self.follow(step) {
                self.waiting = None;
                self.astray = true;
            }
            return Ok(());
        }
        let answer = self.attempt(&read)?;
        if matches!(answer, Ok(None)) {
            self.mark(Reader::about_to_wait);
            if matches!(read, Read::ToEnd) {
                self.held = self.reader.peek(usize::MAX).to_vec();
            }
            self.waiting = Some(read);
            return match &step.now {
                Some(Outcome::Pending(_)) => Ok(()),
                other => Err(format!("waits, but gave {other:?}")),
            };
        }
        self.settle(&step.now, Some((read, answer)), false)
    }

    /// Takes from the buffer what asyncio has taken; tells whether it has.
    fn follow(&mut self, step: &Step) -> bool {
        let asyncio_has = self.held.len() + step.buf.len();
        let extra = self.reader.buffered().saturating_sub(asyncio_has);
        self.discard(extra);
        extra > 0
    }

    /// Lets the read that is astray have what asyncio gives it.
    fn follow_astray(&mut self, step: &Step) {
        if step.done.is_some() {
            self.astray = false;
            self.follow(step);
        } else {
            self.mark(Reader::about_to_wait);
        }
    }

    /// Tries the read that waits again; gives it with its answer if there is one.
    fn retry(&mut self) -> Result<Option<(Read, Answer)>, String> {
        let Some(read) = self.waiting.take() else {
            return Ok(None);
        };
        let answer = self.attempt(&read)?;
        if matches!(answer, Ok(None)) {
            self.mark(Reader::about_to_wait);
            self.waiting = Some(read);
            return Ok(None);
        }
        Ok(Some((read, answer)))
    }

    /// Tries a read, and holds `is_ready` to it.
    fn attempt(&mut self, read: &Read) -> Result<Answer, String> {
        let ready = read.wanted().map(|wanted| self.reader.is_ready(&wanted));
        let answer = self.mark(|reader| read.try_on(reader));
        match ready {
            Some(ready) if ready == matches!(answer, Ok(None)) => {
                Err(format!("is_ready said {ready}, {read:?} gave {answer:?}"))
            }
            _ => Ok(answer),
        }
    }

    /// Compares an answer with what is recorded, and applies to the buffer what asyncio has done to it.
    fn settle(
        &mut self,
        recorded: &Option<Outcome>,
        given: Option<(Read, Answer)>,
        cut: bool,
    ) -> Result<(), String> {
        let (read, answer) = match (recorded, given) {
            (None, None) => return Ok(()),
            (Some(_), Some(given)) => given,
            (recorded, given) => return Err(format!("gave {given:?}, recorded {recorded:?}")),
        };
        let differs = || format!("{read:?} gave {answer:?}, recorded {recorded:?}");
        match (recorded, &answer) {
            (Some(Outcome::Bytes { ok }), Ok(Some(bytes))) if ok == bytes => {}
            // Rule 6.
            (Some(Outcome::Bytes { ok }), Ok(Some(bytes)))
                if cut
                    && matches!(read, Read::Some(_))
                    && !bytes.is_empty()
                    && ok.starts_with(bytes) =>
            {
                let rest = &ok[bytes.len()..];
                if self.reader.peek(rest.len()) != rest {
                    return Err(differs());
                }
                self.discard(rest.len());
            }
            (Some(Outcome::Error(error)), Err(ours)) => {
                if !self.same_error(error, ours, cut) {
                    return Err(differs());
                }
                if let Some(found) = too_long(error) {
                    self.drop_line(found);
                }
            }
            _ => return Err(differs()),
        }
        // On a failure, asyncio loses what it holds and we do not.
        if !matches!(answer, Err(ReadError::Failed(_))) {
            self.held.clear();
        }
        Ok(())
    }

    fn same_error(&self, recorded: &Error, ours: &ReadError<Failure>, cut: bool) -> bool {
        match ours {
            ReadError::Failed(failure) => recorded.err == "stream-exception" && *failure == RESET,
            ReadError::Incomplete { partial, expected } => {
                recorded.err == "incomplete"
                    && recorded.partial.as_ref() == Some(partial)
                    && recorded.expected == *expected
            }
            ReadError::LimitOverrun { found, consumed } => {
                // The text of readline's error does not say how many bytes.
                let (their_found, their_consumed) = match too_long(recorded) {
                    Some(found) => (Some(found), None),
                    None if recorded.err == "limit-overrun" => (recorded.found, recorded.consumed),
                    None => return false,
                };
                let exact = their_found == Some(*found)
                    && their_consumed.is_none_or(|theirs| theirs == *consumed);
                // Rule 7.
                let earlier =
                    cut && !found && their_consumed.is_none_or(|theirs| theirs >= *consumed);
                *consumed > self.limit && (exact || earlier)
            }
            ReadError::TooLarge(_) => false,
        }
    }

    /// Rule 1.
    fn drop_line(&mut self, found: bool) {
        let buffered = self.reader.peek(usize::MAX);
        let newline = buffered.iter().position(|byte| *byte == b'\n');
        let n = newline
            .filter(|_| found)
            .map_or(buffered.len(), |newline| newline + 1);
        self.discard(n);
    }

    /// Applies to our buffer what asyncio has done to its own; nothing must be nothing, for the pause mark too.
    fn discard(&mut self, n: usize) {
        if n > 0 {
            self.mark(|reader| reader.discard(n));
        }
    }

    fn compare_state(&mut self, step: &Step, cut: bool) -> Result<(), String> {
        let buffered = self.reader.peek(usize::MAX);
        if buffered.len() != self.reader.buffered()
            || buffered != [&self.held[..], &step.buf].concat()
        {
            return Err(format!(
                "buffer {}, recorded {}",
                hex::encode(buffered),
                hex::encode(&step.buf)
            ));
        }
        if self.reader.at_eof() != step.eof {
            return Err(format!("at_eof {}", self.reader.at_eof()));
        }
        let paused = self.reader.is_paused();
        if cut || self.mark_differs {
            self.mark_differs = paused != step.paused;
            let by_history = self.limit + 1..=2 * self.limit;
            let may_differ =
                !paused && (by_history.contains(&buffered.len()) || self.reader.at_eof());
            return if self.mark_differs && !may_differ {
                Err(format!("paused {paused} with {} bytes", buffered.len()))
            } else {
                Ok(())
            };
        }
        // Rule 2: more is buffered here than there.
        let more_marks = step.tr.is_empty()
            && self.marks == ["pause", "resume"]
            && matches!(self.waiting, Some(Read::ToEnd))
            && self.held.len() > 2 * self.limit;
        if paused != step.paused || self.marks != step.tr && !more_marks {
            return Err(format!("paused {paused} after {:?}", self.marks));
        }
        Ok(())
    }

    /// Does something to the reader and notes whether it changed the pause mark.
    fn mark<T>(&mut self, action: impl FnOnce(&mut Reader<Failure>) -> T) -> T {
        let before = self.reader.is_paused();
        let result = action(&mut self.reader);
        match (before, self.reader.is_paused()) {
            (false, true) => self.marks.push("pause"),
            (true, false) => self.marks.push("resume"),
            _ => {}
        }
        result
    }
}
