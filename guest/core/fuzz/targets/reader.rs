//! Invariant: after any operations in any order, every answer, the buffer, the end, the failure and the pause mark
//! equal those of a model. The model keeps one vector and searches it from the front. `is_ready` agrees with the read
//! that follows.

#![no_main]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/support/model.rs"]
mod model;

use arbitrary::Arbitrary;
use asyncio_streams_core::{Reader, Separators};
use libfuzzer_sys::fuzz_target;
use model::{Failure, Model, Read};

#[derive(Arbitrary, Debug)]
struct Input {
    limit: u8,
    max_result: Option<u8>,
    separators: [Vec<Vec<u8>>; 2],
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Feed(Vec<u8>),
    FeedOwned(Vec<u8>),
    /// One byte, many times: fuzzers do not generate this by themselves.
    FeedMany(u8, u16),
    End,
    Fail(bool),
    GiveUp,
    Read(u8),
    ReadToEnd,
    Readline,
    Readlines(u16),
    Readexactly(u16),
    /// One of the input's sets of separators, so that it is searched for again.
    Readuntil(bool),
    /// Another set.
    ReaduntilNew(Vec<Vec<u8>>),
    Discard(u16),
    TakeBuffer,
    AboutToWait,
}

fuzz_target!(|input: Input| {
    let max_result = input.max_result.map_or(usize::MAX, usize::from);
    let limit = usize::from(input.limit);
    let Ok(mut reader) = Reader::<Failure>::new(limit, max_result) else {
        assert!(limit == 0 || max_result == 0);
        return;
    };
    let mut model = Model::new(limit, max_result);
    // The model's searches take quadratic time.
    for op in input.ops.into_iter().take(200) {
        if model.bytes.len() > 5000 {
            model.discard(4900);
            reader.discard(4900);
        }
        apply(op, &input.separators, &mut reader, &mut model);
        assert_eq!(reader.peek(usize::MAX), model.bytes);
        assert_eq!(reader.buffered(), model.bytes.len());
        assert_eq!(reader.at_eof(), model.at_eof());
        assert_eq!(reader.is_paused(), model.paused);
        assert_eq!(reader.failure().copied(), model.failure);
    }
});

fn apply(op: Op, separators: &[Vec<Vec<u8>>; 2], reader: &mut Reader<Failure>, model: &mut Model) {
    match op {
        Op::Feed(data) => {
            reader.feed(&data);
            model.feed(&data);
        }
        Op::FeedOwned(data) => {
            model.feed(&data);
            reader.feed_owned(data);
        }
        Op::FeedMany(byte, count) => {
            let data = vec![byte; usize::from(count) % 4096];
            model.feed(&data);
            reader.feed_owned(data);
        }
        Op::End => {
            reader.feed_end();
            model.feed_end();
        }
        Op::Fail(reset) => {
            let failure = if reset { "reset" } else { "closed" };
            reader.fail(failure);
            model.fail(failure);
        }
        Op::GiveUp => {
            reader.give_up("given up");
            model.give_up("given up");
        }
        Op::Read(n) => read(Read::Some(n.into()), reader, model),
        Op::ReadToEnd => read(Read::ToEnd, reader, model),
        Op::Readline => read(Read::Line, reader, model),
        Op::Readlines(most) => read(Read::Lines(most.into()), reader, model),
        Op::Readexactly(n) => read(Read::Exactly(n.into()), reader, model),
        Op::Readuntil(which) => until(separators[usize::from(which)].clone(), reader, model),
        Op::ReaduntilNew(separators) => until(separators, reader, model),
        Op::Discard(n) => assert_eq!(reader.discard(n.into()), model.discard(n.into())),
        Op::TakeBuffer => {
            let everything = model.bytes.clone();
            model.discard(usize::MAX);
            assert_eq!(reader.take_buffer(), everything);
        }
        Op::AboutToWait => {
            reader.about_to_wait();
            model.paused = false;
        }
    }
}

fn until(separators: Vec<Vec<u8>>, reader: &mut Reader<Failure>, model: &mut Model) {
    match Separators::new(separators.clone()) {
        Ok(_) => read(Read::Until(separators), reader, model),
        Err(_) => assert!(separators.is_empty() || separators.iter().any(Vec::is_empty)),
    }
}

fn read(read: Read, reader: &mut Reader<Failure>, model: &mut Model) {
    let ready = read.wanted().is_none_or(|wanted| reader.is_ready(&wanted));
    let answer = read.try_on(reader);
    assert_eq!(ready, answer != Ok(None), "{read:?}");
    assert_eq!(answer, model.read(&read), "{read:?}");
}
