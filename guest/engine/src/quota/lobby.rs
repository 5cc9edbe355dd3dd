//! The lobby: accepted connections wait here while very many connections are open.
//!
//! Above a mark, new connections wait here, with few handles each. They are handed to the application once their peer
//! has sent something, or when there is room below the mark again; Linux calls this `TCP_DEFER_ACCEPT`. Below the mark
//! they are handed out at once, so that a server may send first.
//!
//! When the lobby is full, the peer that has been silent for the longest time is dropped. Its place goes to a new
//! connection, or to a peer that has sent something and would otherwise find no room. So a crowd of silent peers never
//! keeps out a client that sends. A peer that sends does not replace a connection accepted within [`GRACE`]; it waits.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use crate::notify::WakerSlot;
use crate::ordered::{Key, OrderedMap};
use crate::transport::Incoming;

use super::{ACCEPTED, DEFERRED, HandlePermit, HandleQuota};

/// The time, in nanoseconds, for which the first bytes of a new peer may still be in flight.
const GRACE: u64 = 250_000_000;

/// The decision about an accepted connection.
pub(crate) enum Admission {
    /// The connection can be handed out.
    Now(HandlePermit),
    /// The connection waits in the lobby.
    Later(Rc<Deferred>),
    /// There is no place for it.
    Full,
}

impl HandleQuota {
    /// Finds a place for an accepted connection. In a full lobby it takes the place of the peer that has been silent
    /// for the longest time.
    pub(crate) fn admit(self: &Rc<Self>) -> Admission {
        let empty = self.lobby.first_speaking().is_none() && self.lobby.longest_silent().is_none();
        if empty && let Some(permit) = self.take(ACCEPTED, self.lobby_opens()) {
            return Admission::Now(permit);
        }
        let permit = self
            .take(DEFERRED, self.lobby_closes())
            .or_else(|| self.lobby.longest_silent()?.replace());
        match permit {
            Some(permit) => Admission::Later(Deferred::new(self, permit)),
            None => Admission::Full,
        }
    }

    /// Waits until [`HandleQuota::admit`] would find a place.
    pub(crate) async fn room(&self) {
        let check = || {
            let fits = self.fits(DEFERRED, self.lobby_closes());
            (fits || self.lobby.longest_silent().is_some()).then_some(())
        };
        self.freed.until(check).await;
    }

    /// Hands out as many connections as there is room for, those whose peer has sent something first. Silent ones leave
    /// to make room for these.
    pub(super) fn admit_deferred(self: &Rc<Self>) {
        while let Some(deferred) = self.lobby.first_speaking() {
            if !deferred.grant(self.total()) {
                self.clear_room();
                return;
            }
        }
        while let Some(deferred) = self.lobby.longest_silent() {
            if !deferred.grant(self.lobby_opens()) {
                return;
            }
        }
    }

    /// Returns the time in nanoseconds.
    fn now(&self) -> Option<u64> {
        Some(self.engine.upgrade()?.now())
    }

    /// Closes enough silent connections, the longest-waiting first, to make room for one whose peer has sent something.
    /// The room is free once their sockets are closed.
    fn clear_room(self: &Rc<Self>) {
        let more = ACCEPTED.saturating_sub(DEFERRED);
        while !self.will_fit(more, self.total()) {
            let Some(deferred) = self.lobby.longest_silent() else {
                return;
            };
            if let Some(rest) = deferred.grace_left() {
                return self.admit_later(rest);
            }
            deferred.leave();
        }
    }

    /// Calls [`HandleQuota::admit_deferred`] after this time. Only one such call is pending at a time.
    fn admit_later(self: &Rc<Self>, nanoseconds: u64) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        if self.lobby.admits_later.replace(true) {
            return;
        }
        let (quota, sleep) = (self.clone(), engine.sleep(nanoseconds));
        engine.spawn(async move {
            sleep.await;
            quota.lobby.admits_later.set(false);
            quota.admit_deferred();
        });
    }
}

/// An accepted connection not yet handed to the application.
pub(crate) struct Deferred {
    quota: Rc<HandleQuota>,
    permit: Cell<Option<HandlePermit>>,
    speaks: Cell<bool>,
    granted: Cell<bool>,
    closed: Cell<bool>,
    task: WakerSlot,
    number: u64,
    /// The time of the accept, in nanoseconds.
    accepted_at: Option<u64>,
}

impl Deferred {
    fn new(quota: &Rc<HandleQuota>, permit: HandlePermit) -> Rc<Self> {
        let lobby = &quota.lobby;
        let number = lobby.count.get();
        lobby.count.set(number.wrapping_add(1));
        let deferred = Rc::new(Deferred {
            quota: quota.clone(),
            permit: Cell::new(Some(permit)),
            speaks: Cell::new(false),
            granted: Cell::new(false),
            closed: Cell::new(false),
            task: WakerSlot::default(),
            number,
            accepted_at: quota.now(),
        });
        lobby.silent.add(&deferred);
        deferred
    }

    /// Returns the number of the connection, in the order of the accepts.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Waits until the connection may be handed out, and returns its permit; `None` if it was closed.
    pub(crate) async fn admitted(self: &Rc<Self>, incoming: &mut Incoming) -> Option<HandlePermit> {
        let mut speaks = pin!(incoming.ready());
        poll_fn(|cx| {
            self.task.register(cx);
            if !self.speaks.get() && speaks.as_mut().poll(cx).is_ready() {
                self.heard();
            }
            if self.closed.get() {
                return Poll::Ready(None);
            }
            if self.granted.get() {
                Poll::Ready(self.permit.take())
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Returns whether it still waits and its peer has sent nothing.
    pub(crate) fn is_silent(&self) -> bool {
        !self.speaks.get() && self.waits()
    }

    /// Returns the rest of [`GRACE`], or `None` if it is over.
    fn grace_left(&self) -> Option<u64> {
        let waited = self.quota.now()?.saturating_sub(self.accepted_at?);
        GRACE.checked_sub(waited).filter(|rest| *rest > 0)
    }

    fn waits(&self) -> bool {
        !self.granted.get() && !self.closed.get()
    }

    /// Ends the wait.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.task.wake();
    }

    /// Ends the wait in favour of a new connection, which takes over the permit.
    fn replace(&self) -> Option<HandlePermit> {
        self.close();
        self.permit.take()
    }

    /// Closes the connection to make room, and counts its handles as leaving until they are free.
    fn leave(&self) {
        if let Some(permit) = self.permit.take() {
            permit.leaves();
            self.permit.set(Some(permit));
        }
        self.close();
    }

    /// Records that the peer has sent something, or ended.
    fn heard(self: &Rc<Self>) {
        self.speaks.set(true);
        self.quota.lobby.silent.remove(self.number);
        self.quota.lobby.speaking.add(self);
        self.quota.admit_deferred();
    }

    /// Raises the permit to that of a connection that is handed out, if there is room below `mark`.
    fn grant(&self, mark: u32) -> bool {
        let Some(permit) = self.permit.take() else {
            return true;
        };
        let granted = permit.raise(mark);
        self.permit.set(Some(permit));
        if granted {
            self.granted.set(true);
            self.task.wake();
        }
        granted
    }
}

/// Deferred connections in the order of their accepts.
#[derive(Default)]
pub(crate) struct Queue(RefCell<OrderedMap<Weak<Deferred>>>);

impl Queue {
    pub(crate) fn add(&self, deferred: &Rc<Deferred>) {
        let mut entries = self.0.borrow_mut();
        entries.insert(key(deferred.number), Rc::downgrade(deferred));
    }

    /// Removes the connection with this number, if it is there.
    pub(crate) fn remove(&self, number: u64) {
        self.0.borrow_mut().remove(key(number));
    }

    /// Returns the first connection for which `is` holds. Removes those before it.
    pub(crate) fn first(&self, is: impl Fn(&Deferred) -> bool) -> Option<Rc<Deferred>> {
        loop {
            // No borrow is held when one is dropped: the drop removes it from its queues.
            let first = self
                .0
                .borrow()
                .first()
                .map(|((number, _), deferred)| (number, deferred.upgrade()));
            match first? {
                (_, Some(deferred)) if is(&deferred) => return Some(deferred),
                (number, _) => self.remove(number),
            }
        }
    }
}

fn key(number: u64) -> Key {
    (number, 0)
}

impl Drop for Deferred {
    fn drop(&mut self) {
        self.quota.lobby.silent.remove(self.number);
        self.quota.lobby.speaking.remove(self.number);
    }
}

/// The deferred connections of one engine.
#[derive(Default)]
pub(super) struct Lobby {
    /// The connections whose peer has sent something.
    speaking: Queue,
    /// The connections whose peer has sent nothing.
    silent: Queue,
    /// The number of connections that have been deferred so far.
    count: Cell<u64>,
    /// Whether a call of [`HandleQuota::admit_later`] is pending.
    admits_later: Cell<bool>,
}

impl Lobby {
    fn first_speaking(&self) -> Option<Rc<Deferred>> {
        self.speaking.first(Deferred::waits)
    }

    fn longest_silent(&self) -> Option<Rc<Deferred>> {
        self.silent.first(Deferred::is_silent)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use crate::engine::WeakEngine;

    use super::*;

    fn quota() -> Rc<HandleQuota> {
        HandleQuota::new(96_000, WeakEngine::default())
    }

    /// Takes all places of connections that are handed out at once, then those of the lobby.
    fn crowd(quota: &Rc<HandleQuota>) -> (Vec<HandlePermit>, VecDeque<Rc<Deferred>>) {
        let (mut given, mut waiting) = (Vec::new(), VecDeque::new());
        while quota.fits(DEFERRED, quota.lobby_closes()) {
            match quota.admit() {
                Admission::Now(share) => given.push(share),
                Admission::Later(deferred) => waiting.push_back(deferred),
                Admission::Full => panic!("the lobby is full too early"),
            }
        }
        assert_eq!(given.len(), 2833);
        assert_eq!(waiting.len(), 8002);
        (given, waiting)
    }

    /// Removes closed connections, as their tasks do.
    fn leave(waiting: &mut VecDeque<Rc<Deferred>>) {
        waiting.retain(|deferred| !deferred.closed.get());
    }

    #[test]
    fn the_longest_silent_peer_leaves_for_a_new_connection() {
        let quota = quota();
        let (_given, mut waiting) = crowd(&quota);
        waiting[0].heard();
        for _ in 0..2000 {
            let oldest = waiting
                .iter()
                .find(|deferred| deferred.is_silent())
                .cloned();
            let Admission::Later(deferred) = quota.admit() else {
                panic!("no place for a new connection");
            };
            assert!(oldest.is_some_and(|oldest| oldest.closed.get()));
            waiting.push_back(deferred);
            leave(&mut waiting);
        }
        assert!(waiting[0].granted.get());
    }

    #[test]
    fn silent_peers_leave_for_those_that_send() {
        let quota = quota();
        let (_given, mut waiting) = crowd(&quota);
        let mut served = 0;
        while let Some(deferred) = waiting.pop_back() {
            if deferred.closed.get() {
                continue;
            }
            deferred.heard();
            leave(&mut waiting);
            assert!(deferred.granted.get());
            served += 1;
            waiting.push_front(deferred);
            if waiting.iter().all(|deferred| deferred.granted.get()) {
                break;
            }
        }
        // All remaining handles serve peers that have sent something.
        assert_eq!(served, HANDLES_LEFT / ACCEPTED);
        assert!(waiting.iter().all(|deferred| deferred.granted.get()));
    }

    const HANDLES_LEFT: u32 = 96_000 - 2833 * ACCEPTED;

    #[test]
    fn no_more_silent_peers_leave_than_necessary() {
        let quota = quota();
        let (given, mut waiting) = crowd(&quota);
        let mut speaking = Vec::new();
        for _ in 0..500 {
            let deferred = waiting.pop_back().expect("a deferred");
            deferred.heard();
            speaking.push(deferred);
        }
        // The connections that leave still hold their handles. No further ones may leave for that reason.
        let leaving = waiting
            .iter()
            .filter(|deferred| deferred.closed.get())
            .count();
        assert!(leaving <= 7, "{leaving} leave");
        while !speaking.iter().all(|deferred| deferred.granted.get()) {
            leave(&mut waiting);
        }
        let left = 8002 - 500 - waiting.len();
        let needed = (92_000 + 500 * 21 - 96_000) / 3;
        assert!((needed..needed + 10).contains(&left), "{left} left");
        drop(given);
    }

    #[test]
    fn dropped_connections_leave_no_entry_behind_one_that_stays() {
        let quota = quota();
        let (given, mut waiting) = crowd(&quota);
        let stays = waiting.pop_front();
        waiting.clear();
        for number in 0..10_000 {
            let Admission::Later(deferred) = quota.admit() else {
                panic!("connection {number} was not deferred");
            };
            if number % 2 == 0 {
                deferred.heard();
            }
        }
        let lobby = &quota.lobby;
        let queued = (
            lobby.silent.0.borrow().len(),
            lobby.speaking.0.borrow().len(),
        );
        assert_eq!(queued, (1, 0));
        drop((given, stays));
    }

    #[test]
    fn all_waiting_connections_are_handed_out_when_there_is_room() {
        let quota = quota();
        let (given, waiting) = crowd(&quota);
        drop(given);
        let granted = waiting
            .iter()
            .filter(|deferred| deferred.granted.get())
            .count();
        assert_eq!(granted, (68_000 - 8002 * 3) / 21);
    }
}
