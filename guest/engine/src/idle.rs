//! Whether bytes move on a server's connections, for its idle timeout.
//!
//! Moving bytes set a flag. One task a server looks at the flags, several times in each timeout: so a byte costs no look at
//! the clock, and a connection costs no timer.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures::future::{Either, select};
use slab::Slab;

use crate::connection::Connection;
use crate::engine::Engine;
use crate::notify::Notify;

/// How many looks there are in a timeout: it is late by one of them at the most.
const LOOKS: u64 = 4;

/// Nanoseconds between two looks at the least.
const SHORTEST: u64 = 10_000_000;

/// Whether bytes move on one connection. The default never expires.
#[derive(Clone, Default)]
pub(crate) struct Activity(Option<Rc<Watched>>);

struct Watched {
    moved: Cell<bool>,
    /// When it was first seen to be quiet.
    quiet_since: Cell<u64>,
    expired: Cell<bool>,
    changed: Notify,
    /// The connection that expires with it, once there is one.
    connection: RefCell<Weak<Connection>>,
    all: Rc<All>,
    place: usize,
}

impl Activity {
    /// Notes that bytes have moved.
    pub(crate) fn mark(&self) {
        if let Some(watched) = &self.0 {
            watched.moved.set(true);
        }
    }

    /// Has `connection` expire when no byte has moved for as long as the idle timeout.
    pub(crate) fn expires(&self, connection: &Rc<Connection>) {
        if let Some(watched) = &self.0 {
            *watched.connection.borrow_mut() = Rc::downgrade(connection);
        }
    }

    /// Waits until no byte has moved for as long as the idle timeout.
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

/// All connections of a server that has an idle timeout. Dropping it ends the looks.
pub(crate) struct IdleTimeout(Option<Rc<All>>);

struct All {
    timeout: u64,
    connections: RefCell<Slab<Weak<Watched>>>,
    over: Cell<bool>,
    changed: Notify,
}

impl IdleTimeout {
    /// Creates a timeout of so many nanoseconds, if there is one. The background must be kept as long as it is there.
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

/// Looks at all connections again and again. While there is none it waits without a timer.
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
