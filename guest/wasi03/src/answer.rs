//! The wait for a future's value.
//!
//! The value is read in the background. wasmtime writes a value with lists or strings as the task that began the read, and traps if
//! that task has ended: see docs/upstream.md. An exported call may end while the read is pending.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::background;
use crate::blocking::block;
use crate::future::FutureReader;
use crate::operation::Operation;
use crate::stream::{Block, Progress};
use crate::task::next_turn;
use crate::waker_slot::WakerSlot;

/// Waits for the value of a future.
pub struct Answer<T: 'static>(State<T>);

enum State<T: 'static> {
    New(FutureReader<T>),
    Reading(Rc<Reading<T>>),
    /// The value was returned.
    Returned,
}

/// A read in the background.
struct Reading<T> {
    value: RefCell<Option<T>>,
    ended: Cell<bool>,
    /// The value is not wanted any more.
    dropped: Cell<bool>,
    /// Wakes the future that wants the value.
    wanted: WakerSlot,
    /// Wakes the read.
    reading: WakerSlot,
}

impl<T: 'static> Answer<T> {
    /// Creates the wait for the value of `reader`.
    pub fn new(reader: FutureReader<T>) -> Self {
        Answer(State::New(reader))
    }

    /// Polls for the value; `None` if it was returned before. Only in async calls.
    pub fn poll_get(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        self.begin();
        let State::Reading(reading) = &self.0 else {
            return Poll::Ready(None);
        };
        if !reading.ended.get() {
            reading.wanted.register(cx);
            return Poll::Pending;
        }
        let value = reading.value.take();
        self.0 = State::Returned;
        Poll::Ready(value)
    }

    fn begin(&mut self) {
        if let State::New(_) = self.0
            && let State::New(reader) = std::mem::replace(&mut self.0, State::Returned)
        {
            let reading = Rc::new(Reading {
                value: RefCell::new(None),
                ended: Cell::new(false),
                dropped: Cell::new(false),
                wanted: WakerSlot::default(),
                reading: WakerSlot::default(),
            });
            background::push(Box::pin(read(reader, reading.clone())));
            self.0 = State::Reading(reading);
        }
    }
}

impl<T: 'static> Drop for Answer<T> {
    fn drop(&mut self) {
        let State::Reading(reading) = &self.0 else {
            return;
        };
        if reading.ended.get() {
            return;
        }
        reading.dropped.set(true);
        reading.reading.wake();
        let reading = reading.clone();
        background::reap_at_once(Box::pin(async move { reading.end().await }));
    }
}

impl<T> Reading<T> {
    fn ends(&self, value: Option<T>) {
        self.value.replace(value);
        self.ended.set(true);
        self.wanted.wake();
    }

    /// Waits until the read has ended.
    async fn end(&self) {
        poll_fn(|cx| {
            if self.ended.get() {
                return Poll::Ready(());
            }
            self.wanted.register(cx);
            Poll::Pending
        })
        .await;
    }
}

/// Reads the value, unless it is dropped meanwhile.
async fn read<T: 'static>(reader: FutureReader<T>, reading: Rc<Reading<T>>) {
    let handle = reader.handle.get();
    let value = Block::new(reader.layout, 1);
    let mut operation = Operation::new(handle);
    // SAFETY: There is room for one value, and it does not move until the operation has ended.
    let mut code = unsafe { (reader.start_read)(handle, value.at()) };
    while Progress::of(code) == Progress::Blocked {
        let arrived = poll_fn(|cx| {
            if reading.dropped.get() {
                return Poll::Ready(None);
            }
            reading.reading.register(cx);
            operation.poll(cx).map(Some)
        })
        .await;
        let Some(arrived) = arrived else {
            // Ending it blocks, and calls of this turn must be able to start before.
            next_turn().await;
            operation.leave();
            code = operation.take_arrived().unwrap_or_else(|| {
                // SAFETY: A read is pending, its waitable's event was not delivered, and it is in no set.
                block(|| unsafe { (reader.cancel_read)(handle) })
            });
            break;
        };
        code = arrived;
    }
    drop(operation);
    // SAFETY: The host has written the value.
    let value = has_value(code).then(|| unsafe { (reader.lift)(value.at()) });
    drop(reader);
    reading.ends(value);
}

/// Returns whether the value was copied (Component Model, `CopyResult.COMPLETED`).
fn has_value(code: u32) -> bool {
    code & 0xf == 0
}
