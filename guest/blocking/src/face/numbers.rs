//! Maps numbers to readers and writers.
//!
//! The table of `guest/component` holds servers, watches and their waits too, and its lookups are in the path of every message. This one is
//! smaller: it shares the code of the engine's ordered map.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use asyncio_streams_engine::ordered::OrderedMap;
use asyncio_streams_engine::{Reader, Writer};
use asyncio_streams_wasi02::bindings::wasi::random::random::get_random_u64;

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
    static TABLE: RefCell<OrderedMap<Target>> = const { RefCell::new(OrderedMap::new()) };
}

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
            self.0.set(insert(resource.into()));
        }
        self.0.get()
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let number = self.0.get();
        if number != 0 {
            TABLE.with_borrow_mut(|table| table.remove(key(number)));
        }
    }
}

/// Returns a number for a resource: one that no caller can guess, and that no resource has.
fn insert(target: Target) -> u64 {
    TABLE.with_borrow_mut(|table| {
        loop {
            let number = get_random_u64();
            if number != 0 && table.get(key(number)).is_none() {
                table.insert(key(number), target);
                return number;
            }
        }
    })
}

const fn key(number: u64) -> (u64, u64) {
    (number, 0)
}

pub(super) fn reader(number: u64) -> Result<Rc<Reader>, Error> {
    let reader = TABLE.with_borrow(|table| match table.get(key(number)) {
        Some(Target::Reader(reader)) => reader.upgrade(),
        _ => None,
    });
    reader.ok_or_else(|| wrong("reader: no reader has this number"))
}

pub(super) fn writer(number: u64) -> Result<Rc<Writer>, Error> {
    let writer = TABLE.with_borrow(|table| match table.get(key(number)) {
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
