//! How many connections there may be: a server's own cap, and one for the component.
//!
//! Each connection takes handles from a table that the whole store shares, and a full table is a trap. So connections
//! are counted here, from before they are made until their streams are gone.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::bindings::exports::asyncio::streams::types::{Error, NetworkCode};
use crate::errors;
use crate::signal::Waiters;

/// Connections that one instance of the component has at most.
///
/// The `wasmtime` command's default is 100,000 handles in a store. A connection that waits in a composed server takes
/// up to MEASURED of them; this leaves room for what else the programs in the store hold.
pub(crate) const MAX_CONNECTIONS: u32 = 8_192;

thread_local! {
    static LIVE: Cell<u32> = const { Cell::new(0) };
    static FREED: Rc<Waiters> = Rc::default();
}

/// A place among the component's connections.
pub(crate) struct Slot(());

impl Slot {
    /// Takes a place, or `network(out-of-resources)` when there is none.
    pub(crate) fn take() -> Result<Self, Error> {
        if LIVE.get() >= MAX_CONNECTIONS {
            return Err(errors::network_error(
                NetworkCode::OutOfResources,
                format!(
                    "{MAX_CONNECTIONS} connections are open, which is all that a component may have"
                ),
            ));
        }
        LIVE.set(LIVE.get().saturating_add(1));
        Ok(Slot(()))
    }
}

/// Waits until [`Slot::take`] would succeed.
pub(crate) async fn free() {
    FREED
        .with(Rc::clone)
        .until(|| (LIVE.get() < MAX_CONNECTIONS).then_some(()))
        .await;
}

impl Drop for Slot {
    fn drop(&mut self) {
        LIVE.set(LIVE.get().saturating_sub(1));
        FREED.with(|freed| freed.wake());
    }
}

/// Who hears of a connection's end: its server, if a server accepted it.
pub(crate) trait Owner {
    /// The connection `id` has closed, been aborted or lost.
    fn left(&self, id: u64);
    /// The streams of the connection are gone too.
    fn released(&self);
}

/// What a connection counts against. Each count is given back once.
pub(crate) struct Held {
    slot: RefCell<Option<Slot>>,
    owner: Option<(Rc<dyn Owner>, u64)>,
    left: Cell<bool>,
}

impl Held {
    /// A connection that this side opened.
    pub(crate) fn client(slot: Slot) -> Self {
        Held {
            slot: RefCell::new(Some(slot)),
            owner: None,
            left: Cell::new(false),
        }
    }

    /// The connection `id` of a server.
    pub(crate) fn accepted(slot: Slot, owner: Rc<dyn Owner>, id: u64) -> Self {
        Held {
            slot: RefCell::new(Some(slot)),
            owner: Some((owner, id)),
            left: Cell::new(false),
        }
    }

    /// The connection has closed, been aborted or lost.
    pub(crate) fn leave(&self) {
        if let Some((owner, id)) = &self.owner
            && !self.left.replace(true)
        {
            owner.left(*id);
        }
    }

    /// The streams of the connection are gone.
    pub(crate) fn release(&self) {
        self.leave();
        let slot = self.slot.take();
        if slot.is_some()
            && let Some((owner, _)) = &self.owner
        {
            drop(slot);
            owner.released();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}
