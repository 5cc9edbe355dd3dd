//! Replays recorded operations of asyncio's `StreamReader` (`tests/vectors`) over a socket.
//!
//! Every result, the buffer and the end are compared with the record. `guest/core/tests/vectors/replay.rs` lists where the project
//! differs from asyncio. Here an over-long line is dropped as asyncio does (rule 1), and a trace ends at the first step of the
//! other differences: a second read while one waits, a cancelled `read(-1)`, a failure.

#[path = "../../../guest/core/tests/vectors/case.rs"]
#[allow(dead_code, reason = "the pause marks are not visible here")]
mod case;

use crate::bindings::asyncio::streams::blocking::{ConnectOptions, Error, ServerOptions, Wanted};
use crate::checks::{NOW, Pair, Result, SOON, list, pair_with};

use case::{Argument, Case, Outcome, Step};

list![traces: Alone];

const VECTORS: &str = include_str!("../../vectors/streamreader.json");

/// The least number of steps that are compared. It shows that the rules leave most of the record.
const LEAST: usize = 4_500;

fn traces(_: u16) -> Result {
    let cases: Vec<Case> = serde_json::from_str(VECTORS).map_err(|error| error.to_string())?;
    let mut compared = 0;
    for (number, case) in cases.iter().enumerate() {
        compared += replay(case).map_err(|failure| format!("case {number}: {}", failure.0))?;
    }
    if compared < LEAST {
        return Err(format!("only {compared} steps were compared").into());
    }
    Ok(())
}

/// Returns how many steps were compared.
fn replay(case: &Case) -> Result<usize> {
    let options = ConnectOptions::new();
    options.set_limit(u32::try_from(case.limit).unwrap_or(u32::MAX))?;
    let mut trace = Trace {
        pair: pair_with(&options, &ServerOptions::new())?,
        waiting: None,
    };
    for (number, step) in case.steps.iter().enumerate() {
        let goes_on = trace.step(step);
        let described = |failure| format!("step {number}, {}: {failure}", step.op);
        if !goes_on.map_err(described)? {
            return Ok(number);
        }
    }
    Ok(case.steps.len())
}

/// The reader is that of the left end; the right end feeds it.
struct Trace {
    pair: Pair,
    waiting: Option<Read>,
}

/// A read, with its argument.
#[derive(Clone, Debug)]
enum Read {
    Some(u32),
    ToEnd,
    Line,
    Exactly(u32),
    Until(Vec<Vec<u8>>),
}

/// `None`: it has to wait.
type Answer = Option<std::result::Result<Vec<u8>, Error>>;

impl Trace {
    /// Does one step, and compares. False ends the trace.
    fn step(&mut self, step: &Step) -> std::result::Result<bool, String> {
        let failed = |error: Error| format!("{error:?}");
        match step.op.as_str() {
            "feed" => {
                let Some(Argument::Bytes(data)) = &step.a else {
                    return Err("bytes expected".into());
                };
                self.feed(data).map_err(failed)?;
                self.settle(&step.done)?;
            }
            "eof" => {
                let (reader, writer) = (&self.pair.left.0, &self.pair.right.1);
                writer.write_eof().map_err(failed)?;
                reader.wait(&Wanted::End, SOON).map_err(failed)?;
                self.settle(&step.done)?;
            }
            "cancel" if !matches!(self.waiting, Some(Read::ToEnd)) => self.waiting = None,
            "exc" | "cancel" => return Ok(false),
            _ if self.waiting.is_some() => return Ok(false),
            _ => {
                let Some(read) = read_of(step)? else {
                    return Ok(true);
                };
                self.waiting = Some(read);
                self.settle(&step.now)?;
            }
        }
        self.compare(step)?;
        Ok(true)
    }

    /// Sends bytes, and has the reader take all of them.
    fn feed(&self, data: &[u8]) -> std::result::Result<(), Error> {
        let (reader, writer) = (&self.pair.left.0, &self.pair.right.1);
        let all = (reader.buffered() as usize).saturating_add(data.len());
        writer.write(data)?;
        writer.flush(SOON)?;
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        reader.wait(&Wanted::Exactly(all), SOON)?;
        Ok(())
    }

    /// Tries the waiting read, and compares its answer with the record.
    fn settle(&mut self, recorded: &Option<Outcome>) -> std::result::Result<(), String> {
        let Some(read) = self.waiting.take() else {
            return match recorded {
                None => Ok(()),
                Some(recorded) => Err(format!("nothing waits, recorded {recorded:?}")),
            };
        };
        let answer = self.attempt(&read);
        let same = match (recorded, &answer) {
            (None | Some(Outcome::Pending(_)), None) => {
                self.waiting = Some(read);
                return Ok(());
            }
            (Some(Outcome::Bytes { ok }), Some(Ok(bytes))) => ok == bytes,
            (Some(Outcome::Error(error)), Some(Err(ours))) => self.same_error(error, ours),
            _ => false,
        };
        if same {
            Ok(())
        } else {
            Err(format!(
                "{read:?} returned {answer:?}, recorded {recorded:?}"
            ))
        }
    }

    fn attempt(&self, read: &Read) -> Answer {
        let reader = &self.pair.left.0;
        let answer = match read {
            Read::Some(n) => reader.read(Some(*n), NOW),
            Read::ToEnd => reader.read(None, NOW),
            Read::Line => reader.readline(NOW),
            Read::Exactly(n) => reader.readexactly(*n, NOW),
            Read::Until(separators) => reader.readuntil(separators, NOW),
        };
        match answer {
            Err(Error::Cancelled) => None,
            answer => Some(answer),
        }
    }

    fn same_error(&self, recorded: &case::Error, ours: &Error) -> bool {
        match (recorded.err.as_str(), recorded.why.as_deref(), ours) {
            ("value", Some("separator"), Error::InvalidArgument(_)) => true,
            // The text of asyncio's error does not contain the number of bytes.
            ("value", Some("line-too-long-found"), Error::LimitOverrun(overrun)) => {
                self.drop_line();
                overrun.found
            }
            ("value", Some("line-too-long-notfound"), Error::LimitOverrun(overrun)) => {
                let all = self.pair.left.0.buffered();
                self.pair.left.0.discard(all);
                !overrun.found
            }
            ("limit-overrun", _, Error::LimitOverrun(overrun)) => {
                recorded.found == Some(overrun.found)
                    && recorded.consumed == Some(overrun.consumed as usize)
            }
            ("incomplete", _, Error::IncompleteRead(read)) => {
                recorded.partial.as_ref() == Some(&read.partial)
                    && recorded.expected == read.expected.map(|n| n as usize)
            }
            _ => false,
        }
    }

    /// Drops an over-long line with its newline, as asyncio does.
    fn drop_line(&self) {
        let reader = &self.pair.left.0;
        let buffered = reader.peek(u32::MAX);
        let line = buffered.split_inclusive(|byte| *byte == b'\n').next();
        let length = line.map_or(0, <[u8]>::len);
        reader.discard(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn compare(&self, step: &Step) -> std::result::Result<(), String> {
        let reader = &self.pair.left.0;
        let buffered = reader.peek(u32::MAX);
        // asyncio's read(-1) has taken them.
        if !matches!(self.waiting, Some(Read::ToEnd)) && buffered != step.buf {
            return Err(format!("buffer {buffered:?}, recorded {:?}", step.buf));
        }
        if self.waiting.is_none() && reader.at_eof() != step.eof {
            return Err(format!("at-eof {}", reader.at_eof()));
        }
        Ok(())
    }
}

/// Returns the read of a step; `None` for a negative size, which cannot be expressed.
fn read_of(step: &Step) -> std::result::Result<Option<Read>, String> {
    Ok(Some(match (step.op.as_str(), &step.a) {
        ("readline", None) => Read::Line,
        ("read", Some(Argument::Number(n))) => u32::try_from(*n).map_or(Read::ToEnd, Read::Some),
        ("readexactly", Some(Argument::Number(n))) => match u32::try_from(*n) {
            Ok(n) => Read::Exactly(n),
            Err(_) => return Ok(None),
        },
        ("readuntil", Some(Argument::Bytes(separator))) => Read::Until(vec![separator.clone()]),
        ("readuntil", Some(Argument::Several(separators))) => Read::Until(separators.clone()),
        _ => return Err("an unknown step".into()),
    }))
}
