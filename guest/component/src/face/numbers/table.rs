//! Which resource a number stands for.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::{Rc, Weak};

use asyncio_streams_engine::types::Error as EngineError;
use asyncio_streams_engine::{Place, Reader, Server, Wait, Watch, Writer};
use asyncio_streams_face::numbers::Numbers;

use crate::bindings::wasi::random::random;
use crate::types::Error;

/// A resource that has a number.
#[derive(Clone)]
pub(crate) enum Target {
    Reader(Rc<Reader>),
    Writer(Rc<Writer>),
    Server(Rc<Server>),
    Watch(Rc<Watch>),
}

/// A resource that can have a number.
pub(crate) trait Numberable: Sized {
    fn target(this: Rc<Self>) -> Target;

    /// Ends the calls that wait by number.
    fn cancel_waits(&self);
}

/// A resource, and its number once it was asked for. Dropping it ends both, and the waits for its events.
pub(crate) struct Numbered<T: Numberable> {
    resource: Rc<T>,
    /// 0: none yet.
    number: Cell<u64>,
}

impl<T: Numberable> Numbered<T> {
    pub(crate) fn new(resource: T) -> Self {
        Numbered {
            resource: Rc::new(resource),
            number: Cell::new(0),
        }
    }

    /// Returns the number, the same each time.
    pub(crate) fn number(&self) -> u64 {
        if self.number.get() == 0 {
            let target = T::target(self.resource.clone());
            self.number.set(insert(target));
        }
        self.number.get()
    }
}

impl<T: Numberable> Deref for Numbered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.resource
    }
}

impl<T: Numberable> Drop for Numbered<T> {
    fn drop(&mut self) {
        let number = self.number.get();
        if number == 0 {
            return;
        }
        let entry = TABLE.with_borrow_mut(|table| table.remove(number));
        for wait in entry.into_iter().flat_map(|entry| entry.waits) {
            if let Some(of) = wait.of.upgrade() {
                of.end(wait.place, EngineError::Cancelled);
            }
        }
        self.resource.cancel_waits();
    }
}

struct Entry {
    target: Target,
    /// The watches that have its events, and some that do not any more.
    waits: Vec<MemberOf>,
}

struct MemberOf {
    of: Weak<Watch>,
    place: Place,
}

impl MemberOf {
    fn is_there(&self) -> bool {
        let of = self.of.upgrade();
        of.is_some_and(|of| of.has(self.place))
    }
}

thread_local! {
    static TABLE: RefCell<Numbers<Entry>> = const { RefCell::new(Numbers::new()) };
}

asyncio_streams_face::host_random!();

fn insert(target: Target) -> u64 {
    let waits = Vec::new();
    TABLE.with_borrow_mut(|table| table.insert::<Host>(Entry { target, waits }))
}

/// Returns what a number stands for.
pub(super) fn target(number: u64) -> Option<Target> {
    TABLE.with_borrow(|table| table.get(number).map(|entry| entry.target.clone()))
}

pub(crate) fn reader(number: u64) -> Result<Rc<Reader>, Error> {
    match target(number) {
        Some(Target::Reader(reader)) => Ok(reader),
        _ => Err(wrong("reader: no reader has this number")),
    }
}

pub(super) fn server(number: u64) -> Result<Rc<Server>, Error> {
    match target(number) {
        Some(Target::Server(server)) => Ok(server),
        _ => Err(wrong("server: no server has this number")),
    }
}

pub(super) fn writer(number: u64) -> Result<Rc<Writer>, Error> {
    match target(number) {
        Some(Target::Writer(writer)) => Ok(writer),
        _ => Err(wrong("writer: no writer has this number")),
    }
}

// A message does not repeat the number: a wrong one may be another component's.
#[cold]
pub(super) fn wrong(message: &str) -> Error {
    Error::InvalidArgument(message.into())
}

/// Notes that the resource with this number is waited for.
pub(super) fn waits(number: u64, of: &Rc<Watch>, place: Place) {
    TABLE.with_borrow_mut(|table| {
        if let Some(entry) = table.get_mut(number) {
            let waits = &mut entry.waits;
            // Those that have ended are removed before the list grows to twice its length, so an addition costs little on
            // average.
            if waits.len() == waits.capacity() {
                waits.retain(MemberOf::is_there);
                waits.reserve(waits.len().saturating_add(1));
            }
            waits.push(MemberOf {
                of: Rc::downgrade(of),
                place,
            });
        }
    });
}

impl Numberable for Reader {
    fn target(this: Rc<Self>) -> Target {
        Target::Reader(this)
    }

    fn cancel_waits(&self) {
        self.cancel();
    }
}

impl Numberable for Writer {
    fn target(this: Rc<Self>) -> Target {
        Target::Writer(this)
    }

    fn cancel_waits(&self) {
        for wait in [Wait::Drain, Wait::Flush, Wait::Closed] {
            self.cancel(wait);
        }
    }
}

impl Numberable for Server {
    fn target(this: Rc<Self>) -> Target {
        Target::Server(this)
    }

    fn cancel_waits(&self) {
        self.cancel();
    }
}

impl Numberable for Watch {
    fn target(this: Rc<Self>) -> Target {
        Target::Watch(this)
    }

    fn cancel_waits(&self) {}
}
