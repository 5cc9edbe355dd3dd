//! Detects whether bytes move on a server's connections, for its idle timeout.
//!
//! Moving bytes set a flag. One task for each server checks the flags several times in each timeout. So a byte does not
//! read the clock, and a connection needs no timer.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};

use slab::Slab;

use crate::connection::Connection;
use crate::engine::Engine;
use crate::notify::Notify;
use crate::select::{Either, select};

/// The number of checks in a timeout: it is late by at most the time between two.
const LOOKS: u64 = 4;

/// The least nanoseconds between two checks.
const SHORTEST: u64 = 10_000_000;

/// Records whether bytes move on one connection. The default never expires.
#[derive(Clone, Default)]
pub(crate) struct Activity(Option<Rc<Watched>>);

struct Watched {
    moved: Cell<bool>,
    /// The time of the last check that saw bytes move.
    quiet_since: Cell<u64>,
    expired: Cell<bool>,
    changed: Notify,
    /// The connection to abort on expiry, once it exists.
    connection: RefCell<Weak<Connection>>,
    all: Rc<All>,
    place: usize,
}

impl Activity {
    /// Records that bytes have moved.
    pub(crate) fn mark(&self) {
        if let Some(watched) = &self.0 {
            watched.moved.set(true);
        }
    }

    /// Makes `connection` expire when no byte has moved for the idle timeout.
    pub(crate) fn expires(&self, connection: &Rc<Connection>) {
        if let Some(watched) = &self.0 {
            *watched.connection.borrow_mut() = Rc::downgrade(connection);
        }
    }

    /// Waits until no byte has moved for the idle timeout.
    pub(crate) async fn expired(&self) {
        match &self.0 {
            Some(watched) => {
                let check = || watched.expired.get().then_some(());
                watched.changed.until(check).await;
            }
            None => std::future::pending().await,
        }
    }
}

impl Watched {
    fn look(&self, now: u64, timeout: u64) {
        if self.moved.replace(false) {
            self.quiet_since.set(now);
        } else if now.saturating_sub(self.quiet_since.get()) >= timeout {
            self.expired.set(true);
            self.changed.wake();
            let connection = self.connection.borrow().upgrade();
            if let Some(connection) = connection {
                connection.expire();
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.all.connections.borrow_mut().try_remove(self.place);
    }
}

/// All connections of a server with an idle timeout. Dropping it ends the checks.
pub(crate) struct IdleTimeout(Option<Rc<All>>);

struct All {
    timeout: u64,
    connections: RefCell<Slab<Weak<Watched>>>,
    over: Cell<bool>,
    changed: Notify,
}

impl IdleTimeout {
    /// Creates a timeout of `nanoseconds`, or none. The caller keeps the background running while it exists.
    pub(crate) fn new(engine: &Engine, nanoseconds: Option<u64>) -> Self {
        let all = nanoseconds.map(|timeout| {
            Rc::new(All {
                timeout,
                connections: RefCell::default(),
                over: Cell::new(false),
                changed: Notify::default(),
            })
        });
        if let Some(all) = &all {
            engine.spawn(look(engine.clone(), all.clone()));
        }
        IdleTimeout(all)
    }

    /// Begins to watch a connection.
    pub(crate) fn watch(&self) -> Activity {
        let Some(all) = &self.0 else {
            return Activity::default();
        };
        let watched = Rc::new_cyclic(|watched| Watched {
            moved: Cell::new(true),
            quiet_since: Cell::new(0),
            expired: Cell::new(false),
            changed: Notify::default(),
            connection: RefCell::default(),
            all: all.clone(),
            place: all.connections.borrow_mut().insert(watched.clone()),
        });
        all.changed.wake();
        Activity(Some(watched))
    }
}

impl Drop for IdleTimeout {
    fn drop(&mut self) {
        if let Some(all) = &self.0 {
            all.over.set(true);
            all.changed.wake();
        }
    }
}

/// Checks all connections periodically. While there is none, it waits without a timer.
async fn look(engine: Engine, all: Rc<All>) {
    let pause = all.timeout.checked_div(LOOKS).unwrap_or(0).max(SHORTEST);
    loop {
        let some = || all.over.get() || !all.connections.borrow().is_empty();
        all.changed.until(|| some().then_some(())).await;
        let over = all.changed.until(|| all.over.get().then_some(()));
        if let Either::Left(_) = select(pin!(over), engine.sleep(pause)).await {
            return;
        }
        let connections: Vec<_> = {
            let connections = all.connections.borrow();
            let known = connections.iter();
            known.filter_map(|(_, one)| one.upgrade()).collect()
        };
        let now = engine.now();
        for connection in connections {
            connection.look(now, all.timeout);
        }
    }
}
