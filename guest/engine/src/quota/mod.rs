//! The quota of connections, counted in the handles that they may take.
//!
//! All components of a store share one table of handles, and a full table is a trap that ends them all. So each
//! connection takes a permit before it is created, and returns it when everything that belongs to it is gone. Without a
//! free permit, a call that opens a connection fails. Servers stop accepting, and the system's backlog holds new
//! connections.
//!
//! Silent peers must not be able to use the whole quota: see [`lobby`].

pub(crate) mod lobby;
pub(crate) mod memory;

use std::cell::Cell;
use std::rc::Rc;

use crate::engine::WeakEngine;
use crate::errors;
use crate::notify::Notify;
use crate::types::{NetworkCode, NetworkError};

use lobby::Lobby;

/// The bounds for all connections of an engine together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Handles. The `wasmtime` command allows a store 100,000; the default is 96,000.
    pub handles: u32,
    /// Bytes, unread and unsent. A linear memory has 4 GiB, but a growing buffer takes twice its size for a moment, and
    /// a result is a copy. The default is 768 MiB.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            handles: 96_000,
            memory: 768 * 1024 * 1024,
        }
    }
}

/// Handles of a connection that a server handed to the application.
const ACCEPTED: u32 = asyncio_streams_core::HANDLES_ACCEPTED;

/// Handles of a connection that this side opened.
const OPENED: u32 = asyncio_streams_core::HANDLES_OPENED;

/// Handles of a connection in the lobby: its socket, its incoming stream, and the result of that.
const DEFERRED: u32 = 3;

/// Handles of a reader over the program's own stream: the stream, the reader, and a call that waits for input.
const READER: u32 = 12;

/// Handles of each further connection attempt: its socket, and the call that waits for it.
const ATTEMPT: u32 = 2;

/// Handles of a listening socket, the stream of its connections, and a read that waits on it.
const LISTENER: u32 = 4;

/// Handles of a watch: the set that its calls wait on with the ends of the set's wake stream, the resource, and a call.
const WATCH: u32 = 5;

/// Handles above the limit, for watches alone: a program that has opened all connections it may have still waits for them.
const WATCH_RESERVE: u32 = 64 * WATCH;

/// The quota of handles of one engine.
pub(crate) struct HandleQuota {
    engine: WeakEngine,
    limit: u32,
    used: Cell<u32>,
    /// The part of `used` that belongs to deferred connections which were closed to make room.
    leaving: Cell<u32>,
    /// Handles beyond the limit, at a caller's request.
    extra: Cell<u32>,
    freed: Notify,
    lobby: Lobby,
}

/// A permit for handles. Dropping it returns them, once operations that were cancelled before do not use them any more.
pub(crate) struct HandlePermit {
    quota: Rc<HandleQuota>,
    handles: Cell<u32>,
    /// Its connection was closed to make room: the handles will soon be free.
    leaving: Cell<bool>,
}

impl HandleQuota {
    pub(crate) fn new(limit: u32, engine: WeakEngine) -> Rc<Self> {
        Rc::new(HandleQuota {
            engine,
            limit,
            used: Cell::new(0),
            leaving: Cell::new(0),
            extra: Cell::new(0),
            freed: Notify::default(),
            lobby: Lobby::default(),
        })
    }

    /// Takes a permit for a connection that this side opens.
    ///
    /// # Errors
    ///
    /// `network(out-of-resources)` without enough handles, as in all these methods.
    pub(crate) fn opened(self: &Rc<Self>) -> Result<HandlePermit, NetworkError> {
        self.permit(OPENED)
    }

    /// Takes a permit for a reader over the program's own stream.
    pub(crate) fn reader(self: &Rc<Self>) -> Result<HandlePermit, NetworkError> {
        self.permit(READER)
    }

    /// Takes a permit for a further connection attempt, beside the permit of its connection.
    pub(crate) fn attempt(self: &Rc<Self>) -> Result<HandlePermit, NetworkError> {
        self.permit(ATTEMPT)
    }

    /// Takes a permit for the listening sockets of a server.
    pub(crate) fn listeners(self: &Rc<Self>, n: usize) -> Result<HandlePermit, NetworkError> {
        self.permit(LISTENER.saturating_mul(errors::saturate(n)))
    }

    /// Takes a permit for a watch. Connections cannot use up all handles for watches.
    pub(crate) fn watch(self: &Rc<Self>) -> Result<HandlePermit, NetworkError> {
        self.permit_below(WATCH, self.total().saturating_add(WATCH_RESERVE))
    }

    fn permit(self: &Rc<Self>, handles: u32) -> Result<HandlePermit, NetworkError> {
        self.permit_below(handles, self.total())
    }

    fn permit_below(
        self: &Rc<Self>,
        handles: u32,
        mark: u32,
    ) -> Result<HandlePermit, NetworkError> {
        self.take(handles, mark).ok_or_else(|| NetworkError {
            code: NetworkCode::OutOfResources,
            message: "the component has as many connections and watches as it can".into(),
        })
    }

    /// Makes room for `connections` at a time, if there is not enough. The caller promises that the host allows more
    /// handles than usual.
    pub(crate) fn make_room_for(&self, connections: u32) {
        let wanted = connections.saturating_mul(ACCEPTED);
        let more = wanted.saturating_sub(self.part(17));
        self.extra.set(self.extra.get().max(more));
    }

    /// Returns how many handles are in use.
    pub(crate) fn used(&self) -> u32 {
        self.used.get()
    }

    /// Returns the limit with the extra handles.
    fn total(&self) -> u32 {
        self.limit.saturating_add(self.extra.get())
    }

    /// Returns the mark above which new connections go to the lobby.
    fn lobby_opens(&self) -> u32 {
        self.part(17).saturating_add(self.extra.get())
    }

    /// Returns the mark above which the lobby is full too. The handles above it are for peers that have sent something.
    fn lobby_closes(&self) -> u32 {
        self.part(23).saturating_add(self.extra.get())
    }

    /// Returns `of_24` of 24 parts of the limit.
    fn part(&self, of_24: u32) -> u32 {
        (self.limit / 24).saturating_mul(of_24)
    }

    /// Returns whether `handles` more fit below `mark`.
    fn fits(&self, handles: u32, mark: u32) -> bool {
        self.used.get().saturating_add(handles) <= mark
    }

    /// Returns whether `handles` more fit below `mark` once the leaving connections are gone.
    fn will_fit(&self, handles: u32, mark: u32) -> bool {
        let staying = self.used.get().saturating_sub(self.leaving.get());
        staying.saturating_add(handles) <= mark
    }

    /// Takes a permit for `handles`, if they fit below `mark`.
    fn take(self: &Rc<Self>, handles: u32, mark: u32) -> Option<HandlePermit> {
        if !self.fits(handles, mark) {
            return None;
        }
        add(&self.used, handles);
        Some(HandlePermit {
            quota: self.clone(),
            handles: Cell::new(handles),
            leaving: Cell::new(false),
        })
    }

    fn free(self: &Rc<Self>, handles: u32, leaving: bool) {
        subtract(&self.used, handles);
        if leaving {
            subtract(&self.leaving, handles);
        }
        self.admit_deferred();
        self.freed.wake();
    }
}

impl HandlePermit {
    /// Raises the permit of a deferred connection to that of one that is handed out, if there is room below `mark`.
    fn raise(&self, mark: u32) -> bool {
        let more = ACCEPTED.saturating_sub(self.handles.get());
        let fits = self.quota.fits(more, mark);
        if fits {
            add(&self.quota.used, more);
            self.handles.set(ACCEPTED);
        }
        fits
    }

    /// Records that the handles will soon be free.
    fn leaves(&self) {
        if !self.leaving.replace(true) {
            add(&self.quota.leaving, self.handles.get());
        }
    }
}

impl Drop for HandlePermit {
    fn drop(&mut self) {
        let (handles, leaving) = (self.handles.get(), self.leaving.get());
        let quota = self.quota.clone();
        match self.quota.engine.upgrade() {
            Some(engine) => engine.platform().give_back(
                handles,
                Box::new(move |handles| quota.free(handles, leaving)),
            ),
            None => quota.free(handles, leaving),
        }
    }
}

fn add(to: &Cell<u32>, n: u32) {
    to.set(to.get().saturating_add(n));
}

fn subtract(from: &Cell<u32>, n: u32) {
    debug_assert!(from.get() >= n, "each permit is returned once");
    from.set(from.get().saturating_sub(n));
}
