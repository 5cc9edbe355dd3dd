//! The incoming side of a connection, and the current holder of its source.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use asyncio_streams_core::Reader;

use crate::notify::{BusyFlag, WakerSlot};
use crate::transport::Incoming;
use crate::types::Error;

use super::Connection;

/// The incoming side.
pub(crate) struct Input {
    pub(crate) buffer: RefCell<Reader<Error>>,
    pub(super) source: RefCell<Slot>,
    /// A read or a wait is pending.
    pub(super) reading: BusyFlag,
    /// `cancel` was called for the pending read or wait.
    pub(super) cancelled: Cell<bool>,
    /// The call that waits for input.
    pub(super) waiting: WakerSlot,
    /// The reader was dropped.
    pub(super) dropped: Cell<bool>,
    /// The number of bytes that were taken out of the buffer and are still in memory.
    pub(super) aside: Cell<usize>,
    /// Counts the pieces of input that have arrived; wraps around.
    pub(super) pieces: Cell<u32>,
    /// The number of bytes of output that the transport had taken when the application last received input.
    pub(super) answered_to: Cell<u64>,
}

/// The place of the source.
pub(super) enum Slot {
    Here(Incoming),
    /// A poll or a task holds it, or `into-stream` has taken it.
    Lent,
    /// Ended or discarded.
    Gone,
}

impl Input {
    pub(super) fn new(incoming: Incoming, limit: usize, max_result: usize) -> Result<Self, Error> {
        Ok(Input {
            buffer: RefCell::new(Reader::new(limit, max_result)?),
            source: RefCell::new(Slot::Here(incoming)),
            reading: BusyFlag::default(),
            cancelled: Cell::new(false),
            waiting: WakerSlot::default(),
            dropped: Cell::new(false),
            aside: Cell::new(0),
            pieces: Cell::new(0),
            answered_to: Cell::new(0),
        })
    }

    /// Puts the source back.
    pub(super) fn put_back(&self, incoming: Incoming) {
        *self.source.borrow_mut() = Slot::Here(incoming);
    }

    /// Takes the source. The caller puts it back later, or keeps it.
    pub(super) fn take_source(&self) -> Option<Incoming> {
        let mut slot = self.source.borrow_mut();
        match std::mem::replace(&mut *slot, Slot::Lent) {
            Slot::Here(incoming) => Some(incoming),
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Returns the platform's handle of the source, if it is here and would have to be asked for the next byte.
    pub(crate) fn handle(&self) -> Option<Rc<dyn Any>> {
        match &*self.source.borrow() {
            Slot::Here(incoming) if !self.reading.is_busy() => incoming.handle(),
            Slot::Here(_) | Slot::Lent | Slot::Gone => None,
        }
    }

    /// Takes the pending operation of the source out of the task that waits for it, if the source is here.
    pub(super) fn leave_source(&self) {
        if let Slot::Here(incoming) = &mut *self.source.borrow_mut() {
            incoming.leave();
        }
    }

    /// Drops the source, if it is here. No borrow is held meanwhile, because the drop may run other code.
    pub(super) fn drop_source(&self) {
        let mut slot = self.source.borrow_mut();
        if matches!(*slot, Slot::Here(_)) {
            let dropped = std::mem::replace(&mut *slot, Slot::Gone);
            drop(slot);
            drop(dropped);
        }
    }

    /// Returns whether the source has ended or was discarded.
    pub(super) fn is_gone(&self) -> bool {
        matches!(*self.source.borrow(), Slot::Gone)
    }

    pub(super) fn is_here(&self) -> bool {
        matches!(*self.source.borrow(), Slot::Here(_))
    }
}

/// The source, held by a task. The drop puts it back, or marks it as gone if `incoming` was taken out.
pub(super) struct Loan<'a> {
    connection: &'a Connection,
    pub(super) incoming: Option<Incoming>,
}

impl<'a> Loan<'a> {
    /// Returns `None` if the source is elsewhere or gone.
    pub(super) fn take(connection: &'a Connection) -> Option<Self> {
        let incoming = connection.input.take_source()?;
        Some(Loan {
            connection,
            incoming: Some(incoming),
        })
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        *self.connection.input.source.borrow_mut() = match self.incoming.take() {
            Some(incoming) => Slot::Here(incoming),
            None => Slot::Gone,
        };
        if self.connection.input_unwanted() {
            self.connection.mark_dirty();
        }
    }
}

/// Guards the time while a handshake or `into-stream` holds the source. The drop sets the bytes set aside to 0, and
/// marks the source as gone unless it was put back.
pub(super) struct Away(pub(super) Rc<Connection>);

impl Drop for Away {
    fn drop(&mut self) {
        self.0.set_aside(0);
        let mut slot = self.0.input.source.borrow_mut();
        if matches!(*slot, Slot::Lent) {
            *slot = Slot::Gone;
        }
        drop(slot);
        self.0.mark_dirty();
    }
}
