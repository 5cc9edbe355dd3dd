//! Maps numbers to readers and writers.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use asyncio_streams_engine::{Reader, Writer};
use asyncio_streams_face::numbers::Numbers;
use asyncio_streams_wasi02::bindings::wasi::random::random;

use crate::types::Error;

/// The resource of a number. The table does not keep it alive.
pub(super) enum Target {
    Reader(Weak<Reader>),
    Writer(Weak<Writer>),
}

impl From<&Rc<Reader>> for Target {
    fn from(reader: &Rc<Reader>) -> Self {
        Target::Reader(Rc::downgrade(reader))
    }
}

impl From<&Rc<Writer>> for Target {
    fn from(writer: &Rc<Writer>) -> Self {
        Target::Writer(Rc::downgrade(writer))
    }
}

thread_local! {
    static TABLE: RefCell<Numbers<Target>> = const { RefCell::new(Numbers::new()) };
}

asyncio_streams_face::host_random!();

/// The number of a resource, once it was asked for. Dropping it ends the number.
#[derive(Default)]
pub(super) struct Number(
    /// 0: none yet.
    Cell<u64>,
);

impl Number {
    /// Returns the number, the same each time.
    pub(super) fn of(&self, resource: impl Into<Target>) -> u64 {
        if self.0.get() == 0 {
            let target = resource.into();
            let number = TABLE.with_borrow_mut(|table| table.insert::<Host>(target));
            self.0.set(number);
        }
        self.0.get()
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let number = self.0.get();
        if number != 0 {
            TABLE.with_borrow_mut(|table| table.remove(number));
        }
    }
}

pub(super) fn reader(number: u64) -> Result<Rc<Reader>, Error> {
    let reader = TABLE.with_borrow(|table| match table.get(number) {
        Some(Target::Reader(reader)) => reader.upgrade(),
        _ => None,
    });
    reader.ok_or_else(|| wrong("reader: no reader has this number"))
}

pub(super) fn writer(number: u64) -> Result<Rc<Writer>, Error> {
    let writer = TABLE.with_borrow(|table| match table.get(number) {
        Some(Target::Writer(writer)) => writer.upgrade(),
        _ => None,
    });
    writer.ok_or_else(|| wrong("writer: no writer has this number"))
}

// A message does not repeat the number: a wrong one may be another component's.
#[cold]
fn wrong(message: &str) -> Error {
    Error::InvalidArgument(message.into())
}
