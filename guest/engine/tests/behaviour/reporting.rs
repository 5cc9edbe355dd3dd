//! The watch that reports: each event once, until it is waited for again.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use asyncio_streams_engine::testing::sync_call;
use asyncio_streams_engine::{KeySink, Wanted, Watch};

use crate::support::*;

/// The most keys that one read takes.
const ROOM: usize = 2;

/// Takes keys as a program does that reads a stream: one write at a time, and each read takes a part of it.
#[derive(Clone, Default)]
struct Program(Rc<RefCell<Stream>>);

#[derive(Default)]
struct Stream {
    /// Keys that were written and not read.
    written: Vec<u32>,
    /// A read waits, and takes the next write at once.
    reading: bool,
    read: Vec<u32>,
    gone: bool,
    /// The keys that were left when the write was polled last.
    polled: usize,
    writer: Option<Waker>,
}

impl Program {
    /// A watch that reports to a new program.
    fn of(lab: &Lab) -> (Watch, Program) {
        let (watch, program) = (Watch::new(&lab.engine), Program::default());
        watch.report(Box::new(program.clone())).unwrap();
        (watch, program)
    }

    /// Begins to read, as the program does at the end of its turn.
    fn reads(&self) {
        let mut stream = self.0.borrow_mut();
        stream.reading = true;
        stream.pass();
        if let Some(writer) = stream.writer.take() {
            writer.wake();
        }
    }

    /// Begins new waits, and takes the keys that are there: the end of a binding's turn, which is a sync call.
    fn looks(&self, watch: &Watch) {
        let keys = sync_call(|| watch.ready());
        self.0.borrow_mut().read.extend(keys);
    }

    /// Returns what was read since the last call.
    fn keys(&self) -> Vec<u32> {
        std::mem::take(&mut self.0.borrow_mut().read)
    }

    fn leaves(&self) {
        let mut stream = self.0.borrow_mut();
        stream.gone = true;
        if let Some(writer) = stream.writer.take() {
            writer.wake();
        }
    }
}

impl Stream {
    fn pass(&mut self) {
        if self.reading && !self.written.is_empty() {
            let taken = self.written.len().min(ROOM);
            self.read.extend(self.written.drain(..taken));
            self.reading = false;
        }
    }
}

impl KeySink for Program {
    fn start(&mut self, keys: Vec<u32>) {
        assert!(!self.has_rest(), "one write at a time");
        assert!(!keys.is_empty(), "keys, or no write");
        let mut stream = self.0.borrow_mut();
        stream.written = keys;
        stream.pass();
    }

    fn has_rest(&self) -> bool {
        !self.0.borrow().written.is_empty()
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut stream = self.0.borrow_mut();
        let there = stream.written.len();
        if stream.gone || there == 0 || there < stream.polled {
            stream.polled = there;
            return Poll::Ready(!stream.gone);
        }
        stream.polled = there;
        stream.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[test]
fn an_event_is_reported_once_until_it_is_waited_for_again() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let (watch, program) = Program::of(&lab);
        watch.add(7, reader.raw().readable(Wanted::Line));
        program.reads();
        lab.quiet().await;
        peer.write(b"one\ntwo\n").await.unwrap();
        // A binding adds in a sync call; the wait begins with the kick, in the same call.
        program.looks(&watch);
        lab.quiet().await;
        assert_eq!(program.keys(), [7]);
        assert_eq!(reader.try_read(4).unwrap().unwrap(), b"one\n");
        program.reads();
        lab.quiet().await;
        assert_eq!(program.keys(), [] as [u32; 0]);
        assert!(watch.again(7));
        program.looks(&watch);
        lab.quiet().await;
        assert_eq!(program.keys(), [7]);
        assert_eq!(reader.try_read(4).unwrap().unwrap(), b"two\n");
        assert_eq!(watch.remove(7), Some(Ok(())));
        assert!(!watch.again(7));
    });
}

#[test]
fn keys_that_are_not_read_are_kept() {
    const CONNECTIONS: u32 = 9;
    run(|lab| async move {
        let (watch, program) = Program::of(&lab);
        let mut connections = Vec::new();
        for key in 0..CONNECTIONS {
            let (reader, writer, peer) = lab.peer().await;
            watch.add(key, reader.raw().readable(Wanted::Any));
            connections.push((reader, writer, peer));
        }
        program.looks(&watch);
        // The first key is written alone, those after it together.
        for (.., peer) in &connections {
            peer.write(b"x").await.unwrap();
            lab.quiet().await;
        }
        let mut keys = BTreeSet::new();
        while keys.len() < CONNECTIONS as usize {
            assert_eq!(program.keys(), [] as [u32; 0]);
            program.reads();
            lab.quiet().await;
            let read = program.keys();
            assert!(!read.is_empty(), "a read without a key after {keys:?}");
            keys.extend(read);
            // Reported anew while a write is under way.
            watch.again(0);
            program.looks(&watch);
            keys.extend(program.keys());
        }
    });
}

#[test]
fn it_takes_the_place_of_the_wait() {
    run(|lab| async move {
        let (watch, _program) = Program::of(&lab);
        assert!(matches!(watch.wait(), Err(Error::Busy)));
        let again = watch.report(Box::new(Program::default()));
        assert_eq!(again, Err(Error::Busy));
        // There is no wait to cancel.
        watch.cancel();
        let other = Watch::new(&lab.engine);
        let waiting = other.wait().unwrap();
        let meanwhile = other.report(Box::new(Program::default()));
        assert_eq!(meanwhile, Err(Error::Busy));
        drop(waiting);
        other.report(Box::new(Program::default())).unwrap();
    });
}

#[test]
fn an_error_is_reported_as_often_as_it_is_waited_for() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let (watch, program) = Program::of(&lab);
        let place = watch.add(1, reader.raw().readable(Wanted::Any));
        program.reads();
        program.looks(&watch);
        lab.quiet().await;
        watch.end(place, Error::Cancelled);
        drop((reader, peer));
        lab.quiet().await;
        assert_eq!(program.keys(), [1]);
        program.reads();
        assert!(watch.again(1));
        program.looks(&watch);
        assert_eq!(program.keys(), [1]);
        assert_eq!(watch.remove(1), Some(Err(Error::Cancelled)));
    });
}

#[test]
fn a_program_that_leaves_has_reports_only_when_it_looks() {
    run(|lab| async move {
        let (reader, _writer, peer) = lab.peer().await;
        let (watch, program) = Program::of(&lab);
        watch.add(1, reader.raw().readable(Wanted::Any));
        program.looks(&watch);
        peer.write(b"x").await.unwrap();
        lab.quiet().await;
        program.leaves();
        lab.quiet().await;
        assert_eq!(program.keys(), [] as [u32; 0]);
        for _ in 0..3 {
            watch.again(1);
            program.looks(&watch);
            assert_eq!(program.keys(), [1]);
        }
        assert_eq!(reader.read(1).await.unwrap(), b"x");
        watch.again(1);
        program.looks(&watch);
        peer.write(b"y").await.unwrap();
        lab.quiet().await;
        program.looks(&watch);
        assert_eq!(program.keys(), [1]);
    });
}

#[test]
fn written_bytes_and_new_waits_go_by_one_call() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        let (watch, program) = Program::of(&lab);
        program.reads();
        watch.add(5, reader.raw().readable(Wanted::Line));
        for _ in 0..20 {
            let question = b"question\n".to_vec();
            lab.engine
                .unsettled(|| writer.raw().write(question))
                .unwrap();
            program.looks(&watch);
            assert_eq!(peer.read_exactly(9).await.unwrap(), b"question\n");
            peer.write(b"answer\n").await.unwrap();
            lab.quiet().await;
            assert_eq!(program.keys(), [5]);
            assert_eq!(reader.try_read(100).unwrap().unwrap(), b"answer\n");
            program.reads();
            assert!(watch.again(5));
        }
    });
}
