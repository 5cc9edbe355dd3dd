//! The incoming side of a connection, and who has its source.

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
    /// `cancel` was called for it.
    pub(super) cancelled: Cell<bool>,
    /// The call that waits for input.
    pub(super) waiting: WakerSlot,
    /// The reader was dropped.
    pub(super) dropped: Cell<bool>,
    /// Bytes that were taken out of the buffer and are still here.
    pub(super) aside: Cell<usize>,
    /// How often input has come.
    pub(super) pieces: Cell<u32>,
    /// How much of the output had been taken when the application received input last.
    pub(super) answered_to: Cell<u64>,
}

/// Where the source is.
pub(super) enum Slot {
    Here(Incoming),
    /// With the call that reads, with a task, or given away.
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

    /// Takes the source out for a holder that puts it back by itself, or for good.
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
            Slot::Here(incoming) => incoming.handle(),
            Slot::Lent | Slot::Gone => None,
        }
    }

    /// Drops the source, if it is here. The drop runs without a borrow: other code may run in it.
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

/// The source, with the call that reads. It goes back in the end, unless it was taken out for good.
pub(super) struct Loan<'a> {
    connection: &'a Connection,
    pub(super) incoming: Option<Incoming>,
}

impl<'a> Loan<'a> {
    /// `None` when the source is elsewhere, or gone.
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

/// The source is with a handshake, or given away. When this is dropped, what was taken out of the buffer is gone, and the
/// source too unless it was put back by then.
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
