//! The copy against the plain reader: the same sequence of calls has the same answers, whichever of them the copy answers.

use std::cell::RefCell;

use asyncio_streams_core::{self as core, ReadError, Separators, Wanted};
use proptest::prelude::*;

use super::{BufferMirror, Line, Source};
use crate::backend::latin1::{Front, Text};
use crate::backend::{length, size};
use crate::{Error, Incomplete, Overrun};

/// A call or an event of a reader.
#[derive(Clone, Debug)]
enum Op {
    /// A wait lets this in.
    Feed(Vec<u8>),
    End,
    /// This side closes, which needs no wait.
    Close,
    Read(usize),
    ReadInto(usize),
    Exactly(usize),
    Line,
    LentLine,
    Lines(usize),
    Until(Vec<Vec<u8>>),
    ToEnd,
    Peek(usize),
    Discard(usize),
    /// Another reader reads past the copy.
    Past(usize),
    /// A wait that lets in nothing.
    Wait,
}

/// The component's reader.
type Plain = core::Reader<()>;

impl Source for RefCell<Plain> {
    fn peek(&self, skip: u32, n: u32) -> Front {
        let reader = self.borrow();
        let unread = reader
            .peek(usize::MAX)
            .get(length(skip)..)
            .unwrap_or_default();
        let bytes = unread.get(..length(n)).unwrap_or(unread);
        Front {
            bytes: Text::from(bytes),
            remaining: size(unread.len() - bytes.len()),
            limit: size(reader.limit()),
            max_result: size(reader.max_result()),
        }
    }

    fn discard(&self, n: u32) -> Result<u32, Error> {
        Ok(size(self.borrow_mut().discard(length(n))))
    }
}

type Answer = Result<Option<Vec<u8>>, Error>;

fn answer(answer: Result<Option<Vec<u8>>, ReadError<()>>) -> Answer {
    answer.map_err(|error| match error {
        ReadError::Failed(()) => Error::Closed,
        ReadError::Incomplete { partial, expected } => Error::IncompleteRead(Incomplete {
            partial,
            expected: expected.map(size),
        }),
        ReadError::LimitOverrun { found, consumed } => Error::LimitOverrun(Overrun {
            found,
            consumed: size(consumed),
        }),
        ReadError::TooLarge(n) => Error::TooLarge(n),
    })
}

/// The answer from the copy or, as the reader does it, from the component.
fn cached(ahead: &mut BufferMirror, plain: &RefCell<Plain>, op: &Op) -> Answer {
    let here = match op {
        Op::Read(n) => ahead.read(plain, *n),
        Op::ReadInto(n) => {
            let mut into = vec![0; *n];
            ahead
                .read_into(plain, &mut into)
                .map(|n| into[..n].to_vec())
        }
        Op::Exactly(n) => ahead.readexactly(plain, *n),
        Op::Line => ahead.readline(plain),
        Op::LentLine => {
            let mut line = Line::Owned(Vec::new());
            let found = ahead.line(plain, &mut line);
            found.map(|()| line.bytes().to_vec())
        }
        Op::Until(separators) => match separators.as_slice() {
            [one] => ahead.readuntil(plain, one),
            _ => None,
        },
        // It waits before.
        Op::ToEnd => {
            ahead.settle(plain)?;
            ahead.forget();
            let ended =
                plain.borrow_mut().is_ready(&Wanted::End) && plain.borrow().failure().is_none();
            ended.then(|| ahead.take_all(plain)).flatten()
        }
        _ => None,
    };
    match here {
        Some(bytes) => Ok(Some(bytes)),
        None => ahead.ask(plain, || ask(&mut plain.borrow_mut(), op)),
    }
}

fn ask(plain: &mut Plain, op: &Op) -> Answer {
    answer(match op {
        Op::Read(n) | Op::ReadInto(n) => plain.read(*n),
        Op::Exactly(n) => plain.readexactly(*n),
        Op::Line | Op::LentLine => plain.readline(),
        Op::Lines(n) => plain.readlines(*n),
        Op::Until(separators) => match Separators::new(separators.clone()) {
            Ok(separators) => plain.readuntil(&separators),
            Err(_) => return Err(Error::InvalidArgument(String::new())),
        },
        Op::ToEnd => plain.read_to_end(),
        _ => Ok(None),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_copy_answers_as_the_reader_does(
        limit in 1..40usize,
        max_result in prop_oneof![1..60usize, Just(usize::MAX)],
        ops in prop::collection::vec(op(), 0..60),
    ) {
        let mut expected = Plain::new(limit, max_result).unwrap();
        let plain = RefCell::new(Plain::new(limit, max_result).unwrap());
        let mut ahead = BufferMirror::default();
        for op in &ops {
            match op {
                Op::Feed(_) | Op::End | Op::Wait => {
                    ahead.settle(&plain).unwrap();
                    ahead.forget();
                    for reader in [&mut expected, &mut plain.borrow_mut()] {
                        match op {
                            Op::Feed(data) => reader.feed(data),
                            Op::End => reader.feed_end(),
                            _ => {}
                        }
                    }
                }
                Op::Close => {
                    expected.fail(());
                    plain.borrow_mut().fail(());
                }
                Op::Peek(n) => {
                    let here = ahead.peek(&plain, *n);
                    if let Some(here) = here {
                        prop_assert_eq!(&here, expected.peek(*n));
                    }
                }
                Op::Discard(n) => {
                    if !ahead.discard(*n) {
                        ahead.settle(&plain).unwrap();
                        plain.borrow_mut().discard(*n);
                        ahead.forget();
                    }
                    expected.discard(*n);
                }
                Op::Past(n) => {
                    ahead.settle(&plain).unwrap();
                    ahead.forget();
                    prop_assert_eq!(answer(plain.borrow_mut().read(*n)), answer(expected.read(*n)));
                }
                read => {
                    let was = format!("{ahead:?}");
                    let is = cached(&mut ahead, &plain, read);
                    prop_assert_eq!(is, ask(&mut expected, read), "{:?} of {}", read, was);
                }
            }
            same_state(&mut ahead, &plain, &mut expected)?;
        }
        ahead.settle(&plain).unwrap();
        let plain = plain.into_inner();
        prop_assert_eq!(plain.peek(usize::MAX), expected.peek(usize::MAX));
    }
}

/// Checks that the copy agrees with the component, and that the component holds the bytes not taken.
fn same_state(
    ahead: &mut BufferMirror,
    plain: &RefCell<Plain>,
    expected: &mut Plain,
) -> Result<(), TestCaseError> {
    let left = ahead.unread_there(plain);
    prop_assert_eq!(left, expected.buffered());
    if let Some(known) = ahead.buffered() {
        prop_assert_eq!(known, left);
    }
    prop_assert!(expected.peek(usize::MAX).starts_with(ahead.unread()));
    if ahead.has_line() {
        prop_assert!(expected.is_ready(&Wanted::Line));
    }
    if ahead.has(b"ab") {
        let wanted = Wanted::Until(Separators::new(vec![b"ab".to_vec()]).unwrap());
        prop_assert!(expected.is_ready(&wanted));
    }
    Ok(())
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => bytes(0..50).prop_map(Op::Feed),
        1 => Just(Op::End),
        1 => Just(Op::Close),
        1 => Just(Op::Wait),
        4 => (0..50usize).prop_map(Op::Read),
        3 => (0..50usize).prop_map(Op::ReadInto),
        4 => (0..50usize).prop_map(Op::Exactly),
        6 => Just(Op::Line),
        6 => Just(Op::LentLine),
        2 => (0..50usize).prop_map(Op::Lines),
        6 => prop::collection::vec(bytes(0..7), 0..3).prop_map(Op::Until),
        6 => bytes(1..4).prop_map(|one| Op::Until(vec![one])),
        1 => Just(Op::ToEnd),
        2 => (0..50usize).prop_map(Op::Peek),
        3 => (0..50usize).prop_map(Op::Discard),
        1 => (0..50usize).prop_map(Op::Past),
    ]
}

/// Few different bytes: near misses, overlaps and cuts everywhere.
fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![2 => Just(b'a'), 2 => Just(b'b'), 1 => Just(b'\n')];
    prop::collection::vec(byte, length)
}
