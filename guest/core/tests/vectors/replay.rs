//! Replays a case: the core's reads return at once, and are driven like asyncio's reads, which wait.
//!
//! Everything is compared after each step: results, buffer, end, pause marks and their changes. Where the project
//! differs from asyncio on purpose, a rule describes the difference, and the difference is checked:
//!
//! 1. An over-long line stays in the buffer. Asyncio drops the line if its newline was found, else everything. The
//!    replay does the same with `discard` and continues.
//! 2. `read(-1)` takes nothing before the end. The bytes that asyncio takes while it waits are still buffered here, and
//!    count for the pause mark. When it is cancelled, `discard` applies asyncio's loss.
//! 3. While a read waits, every other read is `busy`. Asyncio may let the second read take bytes anyway, or lose
//!    them: `read(-1)` reports only afterwards that it is busy. The replay applies that to the buffer. The waiting read
//!    then continues after those bytes; its result is not compared, only the buffer after it.
//! 4. A failure hides no bytes, does not follow an end, and is not followed by one. Asyncio's reads all fail; here they
//!    have to agree with the model (`support/model.rs`), and no byte may be missing.
//! 5. A negative size cannot be expressed.
//!
//! When a case is fed in pieces, a waiting read is retried after each piece. So it may see fewer bytes than in the
//! record:
//!
//! 6. `read(n)` returns the first piece; the rest of the recorded result comes next in the buffer.
//! 7. An overrun may be noticed before the separator has arrived, with fewer bytes to consume.
//! 8. The pause mark may be set and reset in between, so that it is unset where the record has it set. This is allowed
//!    only between `limit` and `2 * limit`, where the mark depends on history, and at the end, where an incomplete read
//!    leaves it.

use crate::call::{call_of, expect_value, feed, too_long};
use crate::case::{Argument, Case, Error, Outcome, Step};
use crate::failed::Failed;
use crate::pieces::Pieces;
use crate::support::model::{Answer, Failure, Read};
use asyncio_streams_core::{ReadError, Reader};

const RESET: Failure = "reset";

/// Replays `case` with its bytes cut into `pieces`. The error describes the first difference.
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
    /// The waiting read.
    waiting: Option<Read>,
    /// Rule 3: a read waits in asyncio, but another read took its bytes.
    astray: bool,
    /// The bytes that asyncio's `read(-1)` has taken while it waits.
    held: Vec<u8>,
    /// The changes of the pause mark during this step.
    marks: Vec<&'static str>,
    /// Rule 8: the mark is set in asyncio, but not here.
    mark_differs: bool,
    /// Set once the connection has failed; see rule 4.
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

    /// Feeds and retries. Returns whether a waiting read saw pieces.
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
            // Asyncio wakes no reader for an empty feed.
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
                other => Err(format!("waits, but returned {other:?}")),
            };
        }
        self.settle(&step.now, Some((read, answer)), false)
    }

    /// Takes the bytes from the buffer that asyncio has taken. Returns whether there were any.
    fn follow(&mut self, step: &Step) -> bool {
        let asyncio_has = self.held.len() + step.buf.len();
        let extra = self.reader.buffered().saturating_sub(asyncio_has);
        self.discard(extra);
        extra > 0
    }

    /// Feeds the read of rule 3 the bytes that asyncio's read gets.
    fn follow_astray(&mut self, step: &Step) {
        if step.done.is_some() {
            self.astray = false;
            self.follow(step);
        } else {
            self.mark(Reader::about_to_wait);
        }
    }

    /// Retries the waiting read. Returns it with its answer if there is one.
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

    /// Tries a read, and compares `is_ready` with its answer.
    fn attempt(&mut self, read: &Read) -> Result<Answer, String> {
        let ready = read.wanted().map(|wanted| self.reader.is_ready(&wanted));
        let answer = self.mark(|reader| read.try_on(reader));
        match ready {
            Some(ready) if ready == matches!(answer, Ok(None)) => Err(format!(
                "is_ready returned {ready}, {read:?} returned {answer:?}"
            )),
            _ => Ok(answer),
        }
    }

    /// Compares an answer with the record, and applies asyncio's changes of the buffer.
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
        let differs = || format!("{read:?} returned {answer:?}, recorded {recorded:?}");
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
        // On a failure, asyncio loses the bytes it holds; this project does not.
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
                // The text of readline's error does not contain the number of bytes.
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

    /// Applies asyncio's change of its buffer to ours. Zero bytes must have no effect, on the pause mark either.
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
        // Rule 2: more is buffered here than in asyncio.
        let more_marks = step.tr.is_empty()
            && self.marks == ["pause", "resume"]
            && matches!(self.waiting, Some(Read::ToEnd))
            && self.held.len() > 2 * self.limit;
        if paused != step.paused || self.marks != step.tr && !more_marks {
            return Err(format!("paused {paused} after {:?}", self.marks));
        }
        Ok(())
    }

    /// Runs `action` on the reader and records whether the pause mark changed.
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
