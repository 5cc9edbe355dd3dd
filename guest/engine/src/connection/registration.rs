//! The quota that a connection counts against, and the server that accepted it.
//!
//! A connection counts until everything that belongs to it is gone: its streams, a stream from `into-stream`, and the
//! remains of a failed handshake.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::quota::HandlePermit;

/// Is notified of a connection's end: the server that accepted it.
pub(crate) trait Owner {
    /// The connection with this place in the owner's list was closed, aborted or lost.
    fn closed(&self, place: usize);
    /// All streams of the connection are gone.
    fn freed(&self);
}

/// The quota and the server that a connection counts against. Each is released once.
pub(crate) struct Registration {
    permit: RefCell<Option<HandlePermit>>,
    owner: Option<(Rc<dyn Owner>, usize)>,
    closed: Cell<bool>,
}

impl Registration {
    /// Registers a connection that this side opened.
    pub(crate) fn client(permit: HandlePermit) -> Self {
        Registration {
            permit: RefCell::new(Some(permit)),
            owner: None,
            closed: Cell::new(false),
        }
    }

    /// Registers a connection that a server accepted, with its place in the server's list.
    pub(crate) fn accepted(permit: HandlePermit, owner: Rc<dyn Owner>, place: usize) -> Self {
        Registration {
            permit: RefCell::new(Some(permit)),
            owner: Some((owner, place)),
            closed: Cell::new(false),
        }
    }

    /// Records that the connection was closed, aborted or lost.
    pub(crate) fn close(&self) {
        if let Some((owner, place)) = &self.owner
            && !self.closed.replace(true)
        {
            owner.closed(*place);
        }
    }

    /// Records that the streams of the connection are gone.
    pub(crate) fn free(&self) {
        self.close();
        let permit = self.permit.take();
        if permit.is_some()
            && let Some((owner, _)) = &self.owner
        {
            drop(permit);
            owner.freed();
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.free();
    }
}
