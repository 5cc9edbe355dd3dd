//! A model of the reader in the simplest form: one vector, every search from the front, no memory.

use asyncio_streams_core::{ReadError, Wanted};

/// The failure that tests store.
pub(crate) type Failure = &'static str;

/// The result of a read.
pub(crate) type Answer = Result<Option<Vec<u8>>, ReadError<Failure>>;

/// The fields are public: tests compare all of them.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) limit: usize,
    pub(crate) max_result: usize,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ended: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) paused: bool,
}

/// A read, with its argument.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    Some(usize),
    ToEnd,
    Line,
    Lines(usize),
    Exactly(usize),
    Until(Vec<Vec<u8>>),
}

impl Model {
    pub(crate) fn new(limit: usize, max_result: usize) -> Self {
        Self {
            limit,
            max_result,
            bytes: Vec::new(),
            ended: false,
            failure: None,
            paused: false,
        }
    }

    pub(crate) fn feed(&mut self, data: &[u8]) {
        if !self.ended && !data.is_empty() {
            self.bytes.extend(data);
            self.paused |= self.bytes.len() > 2 * self.limit;
        }
    }

    pub(crate) fn feed_end(&mut self) {
        self.ended |= self.failure.is_none();
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        if !self.ended && self.failure.is_none() {
            self.failure = Some(failure);
        }
    }

    pub(crate) fn give_up(&mut self, failure: Failure) {
        self.ended = false;
        self.failure = Some(failure);
    }

    pub(crate) fn at_eof(&self) -> bool {
        self.ended && self.bytes.is_empty()
    }

    pub(crate) fn discard(&mut self, n: usize) -> usize {
        let n = n.min(self.bytes.len());
        self.take(n);
        n
    }

    pub(crate) fn read(&mut self, read: &Read) -> Answer {
        match read {
            Read::Some(0) | Read::Exactly(0) => Ok(Some(Vec::new())),
            Read::Some(n) => match self.bytes.len() {
                0 if self.ended => Ok(Some(self.take(0))),
                0 => self.unsatisfied(),
                buffered => Ok(Some(self.take(buffered.min(*n).min(self.max_result)))),
            },
            Read::ToEnd => match self.bytes.len() {
                _ if self.failure.is_some() => self.unsatisfied(),
                buffered if buffered > self.max_result => Err(ReadError::TooLarge(buffered as u64)),
                buffered if self.ended => Ok(Some(self.take(buffered))),
                _ => Ok(None),
            },
            Read::Line => self.line(),
            Read::Lines(most) => self.lines(*most),
            Read::Exactly(n) if *n > self.max_result => Err(ReadError::TooLarge(*n as u64)),
            Read::Exactly(n) if *n <= self.bytes.len() => Ok(Some(self.take(*n))),
            Read::Exactly(n) if self.ended => self.incomplete(Some(*n)),
            Read::Exactly(_) => self.unsatisfied(),
            Read::Until(separators) => match self.until(separators) {
                Err(None) => self.incomplete(None),
                Err(Some(error)) => Err(error),
                Ok(answer) => Ok(answer),
            },
        }
    }

    fn line(&mut self) -> Answer {
        match self.until(&[b"\n".to_vec()]) {
            Err(None) => Ok(Some(std::mem::take(&mut self.bytes))),
            Err(Some(error)) => Err(error),
            Ok(answer) => Ok(answer),
        }
    }

    fn lines(&mut self, most: usize) -> Answer {
        let mut block = match self.line()? {
            Some(line) if !line.is_empty() => line,
            other => return Ok(other),
        };
        loop {
            let mut ahead = self.clone();
            match ahead.line() {
                Ok(Some(line))
                    if !line.is_empty()
                        && block.len() + line.len() <= most.min(self.max_result) =>
                {
                    block.extend(line);
                    *self = ahead;
                }
                _ => return Ok(Some(block)),
            }
        }
    }

    /// `Err(None)`: the end came first.
    fn until(
        &mut self,
        separators: &[Vec<u8>],
    ) -> Result<Option<Vec<u8>>, Option<ReadError<Failure>>> {
        let longest = separators.iter().map(Vec::len).max().unwrap_or_default();
        let buffered = self.bytes.len();
        for end in 1..=buffered {
            let shortest = separators
                .iter()
                .filter(|one| self.bytes[..end].ends_with(one))
                .map(Vec::len)
                .min();
            let Some(length) = shortest else { continue };
            if end - length > self.limit {
                return Err(Some(ReadError::LimitOverrun {
                    found: true,
                    consumed: end - length,
                }));
            }
            if end > self.max_result {
                return Err(Some(ReadError::TooLarge(end as u64)));
            }
            return Ok(Some(self.take(end)));
        }
        let consumed = (buffered + 1).saturating_sub(longest);
        if consumed > self.limit {
            return Err(Some(ReadError::LimitOverrun {
                found: false,
                consumed,
            }));
        }
        if self.failure.is_none() && buffered > self.max_result {
            return Err(Some(ReadError::TooLarge(buffered as u64)));
        }
        if self.ended {
            Err(None)
        } else {
            self.unsatisfied().map_err(Some)
        }
    }

    fn unsatisfied(&self) -> Answer {
        self.failure
            .map_or(Ok(None), |failure| Err(ReadError::Failed(failure)))
    }

    fn incomplete(&mut self, expected: Option<usize>) -> Answer {
        Err(ReadError::Incomplete {
            partial: std::mem::take(&mut self.bytes),
            expected,
        })
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        let taken = self.bytes.drain(..n).collect();
        self.paused &= self.bytes.len() > self.limit;
        taken
    }
}

impl Read {
    /// Returns the condition to wait for before this read; `None` if there is none.
    pub(crate) fn wanted(&self) -> Option<Wanted> {
        Some(match self {
            Self::Some(0) => return None,
            Self::Some(_) => Wanted::Any,
            Self::ToEnd => Wanted::End,
            Self::Line | Self::Lines(_) => Wanted::Line,
            Self::Exactly(n) => Wanted::Exactly(*n),
            Self::Until(separators) => {
                Wanted::Until(asyncio_streams_core::Separators::new(separators.clone()).ok()?)
            }
        })
    }

    /// Runs the read on a reader.
    pub(crate) fn try_on(&self, reader: &mut asyncio_streams_core::Reader<Failure>) -> Answer {
        match self {
            Self::Some(n) => reader.read(*n),
            Self::ToEnd => reader.read_to_end(),
            Self::Line => reader.readline(),
            Self::Lines(most) => reader.readlines(*most),
            Self::Exactly(n) => reader.readexactly(*n),
            Self::Until(separators) => {
                let separators = asyncio_streams_core::Separators::new(separators.clone());
                reader.readuntil(&separators.expect("valid separators"))
            }
        }
    }
}
