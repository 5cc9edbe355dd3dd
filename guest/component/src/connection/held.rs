//! The quotas that a connection counts against, and the server that accepted it.
//!
//! It counts until everything that belongs to it is gone: its streams, a stream that was given away, and what is left of
//! it after a handshake that failed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::net::budget::Share;

/// Who hears of a connection's end: its server, if a server accepted it.
pub(crate) trait Owner {
    /// The connection with this place in the owner's list has closed, been aborted or lost.
    fn left(&self, place: usize);
    /// The streams of the connection are gone too.
    fn released(&self);
}

/// What a connection counts against. Each count is given back once.
pub(crate) struct Held {
    share: RefCell<Option<Share>>,
    owner: Option<(Rc<dyn Owner>, usize)>,
    left: Cell<bool>,
}

impl Held {
    /// A connection that this side opened.
    pub(crate) fn client(share: Share) -> Self {
        Held {
            share: RefCell::new(Some(share)),
            owner: None,
            left: Cell::new(false),
        }
    }

    /// A connection that a server accepted, and its place in that one's list.
    pub(crate) fn accepted(share: Share, owner: Rc<dyn Owner>, place: usize) -> Self {
        Held {
            share: RefCell::new(Some(share)),
            owner: Some((owner, place)),
            left: Cell::new(false),
        }
    }

    /// The connection has closed, been aborted or lost.
    pub(crate) fn leave(&self) {
        if let Some((owner, place)) = &self.owner
            && !self.left.replace(true)
        {
            owner.left(*place);
        }
    }

    /// The streams of the connection are gone.
    pub(crate) fn release(&self) {
        self.leave();
        let share = self.share.take();
        if share.is_some()
            && let Some((owner, _)) = &self.owner
        {
            drop(share);
            owner.released();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}
