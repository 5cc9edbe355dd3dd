//! The quota that a connection counts against, and the server that accepted it.
//!
//! It counts until everything that belongs to it is gone: its streams, a stream that was given away, and what is left of
//! it after a handshake that failed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::quota::HandlePermit;

/// Hears of a connection's end: the server that accepted it.
pub(crate) trait Owner {
    /// The connection with this place in the owner's list was closed, aborted or lost.
    fn closed(&self, place: usize);
    /// The streams of the connection are gone too.
    fn freed(&self);
}

/// What a connection counts against. Each count is given back once.
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

    /// Notes that the connection was closed, aborted or lost.
    pub(crate) fn close(&self) {
        if let Some((owner, place)) = &self.owner
            && !self.closed.replace(true)
        {
            owner.closed(*place);
        }
    }

    /// Notes that the streams of the connection are gone.
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
