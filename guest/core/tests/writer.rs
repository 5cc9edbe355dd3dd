//! Compares the writer with a model after every operation of random sequences. The transport takes any amount at any
//! time. It must get exactly the accepted bytes, in order, and then the end, once.

use asyncio_streams_core::{COALESCE, InvalidArgument, Transmit, WriteError, Writer};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Write(usize),
    WriteCopy(usize),
    Writelines(Vec<usize>),
    WriteEof,
    Close,
    Abort(&'static str),
    Lost(&'static str),
    Next,
    Sent(usize),
    Ended,
    SetLimits(Option<usize>, Option<usize>),
}

/// A model of flags and plain vectors.
struct Model {
    max_queued: usize,
    low: usize,
    high: usize,
    paused: bool,
    eof: bool,
    closed: bool,
    /// How it ended early: the error of writes and the error of waits.
    broken: Option<(WriteError<&'static str>, &'static str)>,
    end_given: bool,
    end_taken: bool,
    accepted: Vec<u8>,
    /// The number of accepted bytes that the transport was given, and the number that it has taken.
    given: usize,
    taken: usize,
}

impl Model {
    fn queued(&self) -> usize {
        if self.broken.is_some() {
            0
        } else {
            self.accepted.len() - self.taken
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<(), WriteError<&'static str>> {
        if let Some((error, _)) = &self.broken {
            return Err(error.clone());
        }
        match () {
            () if self.closed => Err(WriteError::Closed),
            () if self.eof => Err(WriteError::AfterEof),
            () if self.queued() + data.len() > self.max_queued => Err(WriteError::BufferFull),
            () => {
                self.accepted.extend(data);
                self.paused |= self.queued() > self.high;
                Ok(())
            }
        }
    }

    fn write_eof(&mut self) -> Result<(), WriteError<&'static str>> {
        match &self.broken {
            Some((error, _)) => Err(error.clone()),
            None => {
                self.eof = true;
                Ok(())
            }
        }
    }

    fn fail(&mut self, writes: WriteError<&'static str>, waits: &'static str) {
        if self.outcome().is_none() {
            self.broken = Some((writes, waits));
        }
    }

    fn next(&mut self) -> Transmit {
        match () {
            () if self.broken.is_some() || self.given > self.taken => Transmit::Nothing,
            () if self.given < self.accepted.len() => {
                Transmit::Data(self.accepted[self.given..].to_vec())
            }
            () if (self.eof || self.closed) && !self.end_given => {
                self.end_given = true;
                Transmit::End
            }
            () => Transmit::Nothing,
        }
    }

    fn sent(&mut self, n: usize) {
        if self.broken.is_none() {
            self.taken += n.min(self.given - self.taken);
        }
        self.paused &= self.queued() > self.low;
    }

    fn set_limits(
        &mut self,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<(), InvalidArgument> {
        let high = high.unwrap_or(low.map_or(65_536, |low| 4 * low));
        let low = low.unwrap_or(high / 4);
        if low > high {
            return Err(InvalidArgument("the low mark is above the high mark"));
        }
        (self.low, self.high) = (low, high);
        self.paused |= self.queued() > high;
        Ok(())
    }

    fn waits<T>(&self, result: T) -> Result<T, &'static str> {
        self.broken
            .as_ref()
            .map_or(Ok(result), |(_, error)| Err(error))
    }

    fn outcome(&self) -> Option<Result<(), &'static str>> {
        match &self.broken {
            Some((_, error)) => Some(Err(error)),
            None => (self.closed && self.end_taken).then_some(Ok(())),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_transport_gets_exactly_the_accepted_bytes(
        max_queued in prop_oneof![1..100usize, 50_000..200_000usize, Just(usize::MAX)],
        ops in prop::collection::vec(op(), 0..60),
    ) {
        let mut writer = Writer::new(max_queued).unwrap();
        let mut model = Model {
            max_queued,
            low: 16_384,
            high: 65_536,
            paused: false,
            eof: false,
            closed: false,
            broken: None,
            end_given: false,
            end_taken: false,
            accepted: Vec::new(),
            given: 0,
            taken: 0,
        };
        let mut counter = 0;
        let mut data = |length: usize| -> Vec<u8> {
            (0..length).map(|_| { counter += 1; (counter % 251) as u8 }).collect()
        };
        for op in &ops {
            match op {
                Op::Write(length) => {
                    let data = data(*length);
                    prop_assert_eq!(writer.write(data.clone()), model.write(&data));
                }
                Op::WriteCopy(length) => {
                    let data = data(*length);
                    prop_assert_eq!(writer.write_copy(&data), model.write(&data));
                }
                Op::Writelines(lengths) => {
                    let parts: Vec<Vec<u8>> = lengths.iter().map(|length| data(*length)).collect();
                    prop_assert_eq!(writer.writelines(parts.clone()), model.write(&parts.concat()));
                }
                Op::WriteEof => prop_assert_eq!(writer.write_eof(), model.write_eof()),
                Op::Close => {
                    writer.close();
                    model.closed = true;
                }
                Op::Abort(outcome) => {
                    writer.abort(*outcome);
                    model.fail(WriteError::Closed, outcome);
                }
                Op::Lost(error) => {
                    writer.lost(*error);
                    model.fail(WriteError::Lost(error), error);
                }
                Op::Next => match (writer.next(), model.next()) {
                    (Transmit::Data(piece), Transmit::Data(all)) => {
                        prop_assert!(!piece.is_empty() && all.starts_with(&piece));
                        prop_assert!(piece.len() == all.len() || all.len() > COALESCE, "not sent as one piece");
                        model.given += piece.len();
                    }
                    (ours, theirs) => prop_assert_eq!(ours, theirs),
                },
                Op::Sent(n) => {
                    writer.sent(*n);
                    model.sent(*n);
                }
                Op::Ended => {
                    writer.ended();
                    model.end_taken |= model.end_given && model.broken.is_none();
                }
                Op::SetLimits(high, low) => {
                    prop_assert_eq!(writer.set_limits(*high, *low), model.set_limits(*high, *low));
                }
            }
            prop_assert_eq!(writer.writable(), model.write(&[]), "after {:?}", op);
            prop_assert_eq!(writer.queued(), model.queued(), "after {:?}", op);
            prop_assert_eq!(writer.limits(), (model.low, model.high));
            prop_assert_eq!(writer.written(), model.accepted.len() as u64);
            prop_assert_eq!(writer.drain_ready(), model.waits(!model.paused), "after {:?}", op);
            for position in [0, model.taken, model.taken + 1, model.accepted.len()] {
                let flushed = writer.flushed_to(position as u64);
                prop_assert_eq!(flushed, model.waits(model.taken >= position), "after {:?}", op);
            }
            prop_assert_eq!(writer.outcome(), model.outcome(), "after {:?}", op);
            prop_assert_eq!(writer.is_closing(), model.closed || model.broken.is_some());
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    let length = || {
        prop_oneof![
            2 => Just(0),
            20 => 1..20usize,
            6 => 1..40_000usize,
            1 => 600_000..2_000_000usize,
        ]
    };
    let mark = || prop::option::of(prop_oneof![0..20usize, 0..100_000usize]);
    prop_oneof![
        6 => length().prop_map(Op::Write),
        4 => length().prop_map(Op::WriteCopy),
        4 => prop::collection::vec(length(), 0..4).prop_map(Op::Writelines),
        1 => Just(Op::WriteEof),
        1 => Just(Op::Close),
        1 => prop::sample::select(vec!["closed", "deadline exceeded"]).prop_map(Op::Abort),
        1 => prop::sample::select(vec!["reset", "broken pipe"]).prop_map(Op::Lost),
        10 => Just(Op::Next),
        10 => prop_oneof![1 => 0..20usize, 3 => 0..100_000usize, 3 => Just(usize::MAX)].prop_map(Op::Sent),
        3 => Just(Op::Ended),
        2 => (mark(), mark()).prop_map(|(high, low)| Op::SetLimits(high, low)),
    ]
}

#[test]
fn a_queue_of_zero_bytes_is_refused() {
    assert!(Writer::<()>::new(0).is_err());
}

#[test]
fn small_writes_are_sent_as_one_piece_and_then_the_end() {
    let mut writer = Writer::<()>::new(1000).unwrap();
    writer.write(b"HELO ".to_vec()).unwrap();
    writer
        .writelines(vec![b"here".to_vec(), b"\r\n".to_vec()])
        .unwrap();
    writer.close();
    assert_eq!(writer.next(), Transmit::Data(b"HELO here\r\n".to_vec()));
    writer.sent(6);
    assert_eq!((writer.next(), writer.queued()), (Transmit::Nothing, 5));
    writer.sent(5);
    assert_eq!(writer.next(), Transmit::End);
    assert_eq!((writer.next(), writer.outcome()), (Transmit::Nothing, None));
    writer.ended();
    assert_eq!(writer.outcome(), Some(Ok(())));
}

#[test]
fn marks_default_as_in_asyncio() {
    let mut writer = Writer::<()>::new(1000).unwrap();
    for (high, low, limits) in [
        (None, None, (16_384, 65_536)),
        (Some(0), None, (0, 0)),
        (Some(10), None, (2, 10)),
        (None, Some(100), (100, 400)),
        (Some(7), Some(7), (7, 7)),
        (None, Some(usize::MAX), (usize::MAX, usize::MAX)),
    ] {
        writer.set_limits(high, low).unwrap();
        assert_eq!(writer.limits(), limits);
    }
    assert!(writer.set_limits(Some(6), Some(7)).is_err());
}

#[test]
fn setting_the_marks_may_pause_but_never_resumes() {
    let mut writer = Writer::<()>::new(1000).unwrap();
    writer.write(vec![0; 512]).unwrap();
    writer.set_limits(Some(1024), Some(128)).unwrap();
    assert_eq!(writer.drain_ready(), Ok(true));
    writer.set_limits(Some(256), Some(128)).unwrap();
    assert_eq!(writer.drain_ready(), Ok(false));
    writer.set_limits(Some(1024), Some(1024)).unwrap();
    assert_eq!(writer.drain_ready(), Ok(false));
    assert!(matches!(writer.next(), Transmit::Data(_)));
    writer.sent(1);
    assert_eq!(writer.drain_ready(), Ok(true));
}

#[test]
fn half_closed_is_not_closed() {
    let mut writer = Writer::new(1000).unwrap();
    writer.write_eof().unwrap();
    writer.write_eof().unwrap();
    assert_eq!(writer.next(), Transmit::End);
    writer.ended();
    assert_eq!((writer.outcome(), writer.is_closing()), (None, false));
    assert_eq!(writer.write(Vec::new()), Err(WriteError::AfterEof));
    writer.lost("reset");
    assert_eq!(writer.outcome(), Some(Err("reset")));
    writer.close();
    assert_eq!(writer.outcome(), Some(Err("reset")));
}

#[test]
fn a_clean_outcome_is_final() {
    let mut writer = Writer::new(1000).unwrap();
    writer.close();
    assert_eq!(writer.next(), Transmit::End);
    writer.ended();
    writer.abort("aborted");
    writer.lost("reset");
    assert_eq!(writer.outcome(), Some(Ok(())));
    assert_eq!(writer.write(b"x".to_vec()), Err(WriteError::Closed));
    assert_eq!(writer.write_eof(), Ok(()));
}
