//! Compares the reader with a simple model (`support/model.rs`) after every operation of random sequences.

mod support;

use asyncio_streams_core::{ReadError, Reader, Request, Separators, Wanted};
use proptest::prelude::*;
use std::ops::Range;
use support::model::{Failure, Model, Read};

#[derive(Clone, Debug)]
enum Op {
    Feed(Vec<u8>),
    FeedOwned(Vec<u8>),
    /// Bytes that fill too little of their allocation for it to be taken over.
    FeedSpacious(Vec<u8>),
    End,
    Fail(Failure),
    GiveUp,
    Read(Read),
    /// A read whose bytes are lent and not copied.
    Lend(Read),
    IsReady(Read),
    Discard(usize),
    TakeBuffer,
    AboutToWait,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Few different bytes and short separators: many near misses, overlaps and cuts.
    #[test]
    fn short_input_in_many_cuts_is_read_as_by_the_model(
        limit in 1..12usize,
        max_result in prop_oneof![1..20usize, Just(usize::MAX)],
        ops in ops(0..8, 0..12, 60),
    ) {
        run(limit, max_result, &ops)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Enough bytes that the buffer moves, grows, shrinks and passes allocations on.
    #[test]
    fn long_input_is_read_as_by_the_model(
        limit in prop_oneof![1..12usize, 500..5000usize],
        ops in ops(0..6000, 0..8000, 40),
    ) {
        run(limit, usize::MAX, &ops)?;
    }
}

fn run(limit: usize, max_result: usize, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut reader = Reader::<Failure>::new(limit, max_result).unwrap();
    let mut model = Model::new(limit, max_result);
    for op in ops {
        match op {
            Op::Feed(data) => {
                reader.feed(data);
                model.feed(data);
            }
            Op::FeedOwned(data) => {
                reader.feed_owned(data.clone());
                model.feed(data);
            }
            Op::FeedSpacious(data) => {
                let mut spacious = Vec::with_capacity(3 * data.len());
                spacious.extend(data);
                reader.feed_owned(spacious);
                model.feed(data);
            }
            Op::End => {
                reader.feed_end();
                model.feed_end();
            }
            Op::Fail(failure) => {
                reader.fail(*failure);
                model.fail(failure);
            }
            Op::GiveUp => {
                reader.give_up("given up");
                model.give_up("given up");
            }
            Op::Read(read) => {
                let ready = read.wanted().is_none_or(|wanted| reader.is_ready(&wanted));
                let answer = read.try_on(&mut reader);
                prop_assert_eq!(ready, answer != Ok(None), "{:?}", read);
                prop_assert_eq!(answer, model.read(read), "{:?}", read);
            }
            Op::Lend(read) => {
                let answer = reader.request_with(&request(read), <[u8]>::to_vec);
                prop_assert_eq!(answer, model.read(read), "{:?}", read);
            }
            Op::IsReady(read) => {
                if let Some(wanted) = read.wanted() {
                    let would_answer = model.clone().read(read) != Ok(None);
                    prop_assert_eq!(reader.is_ready(&wanted), would_answer, "{:?}", wanted);
                }
            }
            Op::Discard(n) => prop_assert_eq!(reader.discard(*n), model.discard(*n)),
            Op::TakeBuffer => {
                let everything = model.bytes.clone();
                model.discard(usize::MAX);
                prop_assert_eq!(reader.take_buffer(), everything);
            }
            Op::AboutToWait => {
                reader.about_to_wait();
                model.paused = false;
            }
        }
        prop_assert_eq!(reader.peek(usize::MAX), &model.bytes, "after {:?}", op);
        prop_assert_eq!(reader.peek(3), &model.bytes[..model.bytes.len().min(3)]);
        prop_assert_eq!(reader.buffered(), model.bytes.len());
        prop_assert_eq!(reader.at_eof(), model.at_eof());
        prop_assert_eq!(reader.is_paused(), model.paused, "after {:?}", op);
        prop_assert_eq!(reader.failure().copied(), model.failure);
    }
    Ok(())
}

fn request(read: &Read) -> Request {
    match read {
        Read::Some(n) => Request::Read(*n),
        Read::ToEnd => Request::ReadToEnd,
        Read::Line => Request::Readline,
        Read::Lines(most) => Request::Readlines(*most),
        Read::Exactly(n) => Request::Readexactly(*n),
        Read::Until(separators) => {
            Request::Readuntil(Separators::new(separators.clone()).expect("valid separators"))
        }
    }
}

/// Operations on one stream, which looks for the same few separators all the time, so that searches are continued.
fn ops(data: Range<usize>, sizes: Range<usize>, most: usize) -> impl Strategy<Value = Vec<Op>> {
    let separators = prop::collection::vec(separators(), 1..3);
    separators.prop_flat_map(move |separators| {
        prop::collection::vec(op(data.clone(), sizes.clone(), separators), 0..most)
    })
}

fn op(
    length: Range<usize>,
    sizes: Range<usize>,
    separators: Vec<Vec<Vec<u8>>>,
) -> impl Strategy<Value = Op> {
    let data = || prop::collection::vec(prop::sample::select(b"aaab\n".to_vec()), length.clone());
    let read = || read(sizes.clone(), separators.clone());
    prop_oneof![
        6 => data().prop_map(Op::Feed),
        3 => data().prop_map(Op::FeedOwned),
        2 => data().prop_map(Op::FeedSpacious),
        1 => Just(Op::End),
        1 => prop::sample::select(vec!["reset", "closed"]).prop_map(Op::Fail),
        1 => Just(Op::GiveUp),
        9 => read().prop_map(Op::Read),
        6 => read().prop_map(Op::Lend),
        3 => read().prop_map(Op::IsReady),
        3 => sizes.clone().prop_map(Op::Discard),
        1 => Just(Op::TakeBuffer),
        2 => Just(Op::AboutToWait),
    ]
}

fn read(sizes: Range<usize>, separators: Vec<Vec<Vec<u8>>>) -> impl Strategy<Value = Read> {
    prop_oneof![
        2 => sizes.clone().prop_map(Read::Some),
        1 => Just(Read::ToEnd),
        2 => Just(Read::Line),
        2 => sizes.clone().prop_map(Read::Lines),
        2 => sizes.prop_map(Read::Exactly),
        8 => prop::sample::select(separators).prop_map(Read::Until),
    ]
}

fn separators() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop::sample::select(b"aab\n".to_vec());
    let separator = prop::collection::vec(byte, 1..6);
    prop_oneof![
        2 => separator.clone().prop_map(|separator| vec![separator]),
        3 => prop::collection::vec(separator, 1..4),
    ]
}

#[test]
fn limits_of_zero_are_refused() {
    assert!(Reader::<()>::new(0, 1).is_err());
    assert!(Reader::<()>::new(1, 0).is_err());
    let reader = Reader::<()>::new(1, 2).unwrap();
    assert_eq!((reader.limit(), reader.max_result()), (1, 2));
}

#[test]
fn buffered_bytes_come_first_and_then_the_failure_every_time() {
    let mut reader = Reader::new(10, 100).unwrap();
    reader.feed(b"one\ntwo");
    reader.fail("reset");
    reader.fail("another");
    reader.feed_end();
    assert_eq!(reader.readline(), Ok(Some(b"one\n".to_vec())));
    for _ in 0..2 {
        assert_eq!(reader.readline(), Err(ReadError::Failed("reset")));
        assert_eq!(reader.readexactly(4), Err(ReadError::Failed("reset")));
        assert_eq!(reader.read_to_end(), Err(ReadError::Failed("reset")));
    }
    assert_eq!(reader.peek(10), b"two");
    assert_eq!(reader.read(100), Ok(Some(b"two".to_vec())));
    assert_eq!(reader.read(100), Err(ReadError::Failed("reset")));
    assert!(!reader.at_eof());
}

#[test]
fn a_failure_after_the_end_changes_nothing() {
    let mut reader = Reader::new(10, 100).unwrap();
    reader.feed(b"rest");
    reader.feed_end();
    reader.fail("reset");
    reader.feed(b"ignored");
    assert_eq!(reader.failure(), None);
    assert_eq!(reader.read_to_end(), Ok(Some(b"rest".to_vec())));
    assert!(reader.at_eof());
}

#[test]
fn an_over_long_line_stays_and_can_be_skipped() {
    let mut reader = Reader::<()>::new(3, 100).unwrap();
    reader.feed(b"ok\nabcdef\nfine\n");
    assert_eq!(reader.readlines(100), Ok(Some(b"ok\n".to_vec())));
    let overrun = Err(ReadError::LimitOverrun {
        found: true,
        consumed: 6,
    });
    assert_eq!(reader.readline(), overrun);
    assert_eq!(reader.readlines(100), overrun);
    assert!(reader.is_ready(&Wanted::Line));
    assert_eq!(reader.discard(7), 7);
    assert_eq!(reader.peek(100), b"fine\n");
    assert_eq!(
        reader.readline(),
        Err(ReadError::LimitOverrun {
            found: true,
            consumed: 4
        })
    );
}

#[test]
fn blocks_of_lines_end_at_their_bound_the_end_and_over_long_lines() {
    let mut reader = Reader::<()>::new(4, 100).unwrap();
    reader.feed(b"a\nbb\nccc\nrest");
    assert_eq!(reader.readlines(0), Ok(Some(b"a\n".to_vec())));
    assert_eq!(reader.readlines(6), Ok(Some(b"bb\n".to_vec())));
    assert_eq!(reader.readlines(100), Ok(Some(b"ccc\n".to_vec())));
    assert_eq!(reader.readlines(100), Ok(None));
    reader.feed(b"\nrest");
    reader.feed_end();
    assert_eq!(reader.readlines(9), Ok(Some(b"rest\nrest".to_vec())));
    assert_eq!(reader.readlines(9), Ok(Some(Vec::new())));
}

#[test]
fn too_large_consumes_nothing() {
    let mut reader = Reader::<()>::new(100, 4).unwrap();
    assert_eq!(reader.readexactly(5), Err(ReadError::TooLarge(5)));
    reader.feed(b"abcd");
    assert_eq!(reader.read_to_end(), Ok(None));
    assert_eq!(reader.readline(), Ok(None));
    reader.feed(b"e");
    assert_eq!(reader.read_to_end(), Err(ReadError::TooLarge(5)));
    assert_eq!(reader.readline(), Err(ReadError::TooLarge(5)));
    reader.feed(b"fg\n");
    assert_eq!(reader.readline(), Err(ReadError::TooLarge(8)));
    assert_eq!(reader.buffered(), 8);
    assert_eq!(reader.read(100), Ok(Some(b"abcd".to_vec())));
    assert_eq!(reader.readline(), Ok(Some(b"efg\n".to_vec())));
}

#[test]
fn an_empty_feed_does_not_pause_a_reader_that_a_caller_waits_for() {
    let mut reader = Reader::<()>::new(1, 100).unwrap();
    reader.feed(b"abc");
    assert!(reader.is_paused());
    reader.about_to_wait();
    reader.feed(b"");
    reader.feed_owned(Vec::new());
    assert!(!reader.is_paused());
}

/// The last bytes may be the beginning of a separator, even at the end: asyncio does not count them there either.
#[test]
fn a_rest_is_over_long_without_its_bytes_that_may_begin_a_separator() {
    let separators = |list: &[&[u8]]| {
        let list = list.iter().map(|one| one.to_vec());
        asyncio_streams_core::Separators::new(list.collect()).unwrap()
    };
    let until = |length: usize, list: &[&[u8]]| {
        let mut reader = Reader::<()>::new(4, 100).unwrap();
        reader.feed(&vec![b'x'; length]);
        let before = reader.readuntil(&separators(list));
        reader.feed_end();
        (before, reader.readuntil(&separators(list)))
    };
    // So many bytes of the rest may be the beginning of a separator.
    for (list, part) in [(&[&b"-"[..]][..], 0), (&[b"--"], 1), (&[b"-", b"-----"], 4)] {
        for length in 0..=4 + part {
            let rest = Err(ReadError::Incomplete {
                partial: vec![b'x'; length],
                expected: None,
            });
            assert_eq!(until(length, list), (Ok(None), rest), "{length} bytes");
        }
        for length in 5 + part..20 {
            let overrun = Err(ReadError::LimitOverrun {
                found: false,
                consumed: length - part,
            });
            assert_eq!(until(length, list), (overrun.clone(), overrun), "{length}");
        }
    }
}
