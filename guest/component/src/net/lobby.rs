//! Where connections wait that have arrived, when very many are open.
//!
//! Above a mark, connections that arrive wait here, at a fraction of the price, and are given out once they have sent
//! something, or when there is room below the mark again: what Linux calls `TCP_DEFER_ACCEPT`. Below the mark they are given
//! out at once, so that a server may speak first.
//!
//! When the lobby is full, the peer that has been silent here for the longest time is dropped: in favour of a new arrival,
//! or of a peer that speaks and for which there is no room otherwise. So a silent crowd never stops a client that speaks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use crate::signal::WakerSlot;
use crate::transport::Incoming;

use super::budget::{self, ACCEPTED, DEFERRED, LOBBY_CLOSES, LOBBY_OPENS, Share};

/// The decision about an accepted connection.
pub(crate) enum Admission {
    /// It can be given out.
    Now(Share),
    /// It waits in the lobby.
    Later(Rc<Seat>),
    Full,
}

/// Finds a place for a connection that has arrived. In a full lobby that is the place of the peer that has been silent for
/// the longest time.
pub(crate) fn admit() -> Admission {
    let empty = first_speaking().is_none() && longest_silent().is_none();
    if empty && let Some(share) = budget::take(ACCEPTED, budget::scaled(LOBBY_OPENS)) {
        return Admission::Now(share);
    }
    let share = budget::take(DEFERRED, budget::scaled(LOBBY_CLOSES))
        .or_else(|| longest_silent()?.replace());
    match share {
        Some(share) => Admission::Later(Seat::new(share)),
        None => Admission::Full,
    }
}

/// Waits until [`admit`] would find a place.
pub(crate) async fn room() {
    let freed = budget::freed();
    let check = || {
        let fits = budget::fits(DEFERRED, budget::scaled(LOBBY_CLOSES));
        (fits || longest_silent().is_some()).then_some(())
    };
    freed.until(check).await;
}

/// A place in the lobby.
pub(crate) struct Seat {
    share: Cell<Option<Share>>,
    speaks: Cell<bool>,
    granted: Cell<bool>,
    closed: Cell<bool>,
    task: WakerSlot,
    number: u64,
}

impl Seat {
    fn new(share: Share) -> Rc<Self> {
        LOBBY.with(|lobby| {
            let number = lobby.seats.get();
            lobby.seats.set(number.wrapping_add(1));
            let seat = Rc::new(Seat {
                share: Cell::new(Some(share)),
                speaks: Cell::new(false),
                granted: Cell::new(false),
                closed: Cell::new(false),
                task: WakerSlot::default(),
                number,
            });
            lobby.silent.add(&seat);
            seat
        })
    }

    /// The seat's number: seats are numbered in order of arrival.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Waits until the connection may be given out, and returns its share; `None` once the seat was closed.
    pub(crate) async fn turn(self: &Rc<Self>, incoming: &mut Incoming) -> Option<Share> {
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
                Poll::Ready(self.share.take())
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Whether it waits and its peer has said nothing.
    pub(crate) fn is_silent(&self) -> bool {
        !self.speaks.get() && self.waits()
    }

    fn waits(&self) -> bool {
        !self.granted.get() && !self.closed.get()
    }

    /// Ends the wait.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.task.wake();
    }

    /// Ends the wait in favour of an arrival, which gets the share.
    pub(crate) fn replace(&self) -> Option<Share> {
        self.close();
        self.share.take()
    }

    /// Ends the wait to make room.
    fn leave(&self) {
        if let Some(share) = self.share.take() {
            share.leaves();
            self.share.set(Some(share));
        }
        self.close();
    }

    /// Its peer has sent something, or ended.
    fn heard(self: &Rc<Self>) {
        self.speaks.set(true);
        LOBBY.with(|lobby| {
            lobby.silent.remove(self.number);
            lobby.speaking.add(self);
        });
        grant();
    }

    /// Raises the share to that of a connection that is given out, if there is room below `mark`.
    fn grant(&self, mark: u32) -> bool {
        let Some(share) = self.share.take() else {
            return true;
        };
        let granted = share.raise(mark);
        self.share.set(Some(share));
        if granted {
            self.granted.set(true);
            self.task.wake();
        }
        granted
    }
}

/// Gives out what there is room for, those who speak first. For these, silent ones leave.
pub(super) fn grant() {
    while let Some(seat) = first_speaking() {
        if !seat.grant(budget::total()) {
            clear_room();
            return;
        }
    }
    while let Some(seat) = longest_silent() {
        if !seat.grant(budget::scaled(LOBBY_OPENS)) {
            return;
        }
    }
}

/// Closes as many silent seats as one that speaks takes, the longest-waiting ones first. There is room when their sockets
/// are gone.
fn clear_room() {
    let more = ACCEPTED.saturating_sub(DEFERRED);
    while !budget::will_fit(more, budget::total()) {
        match longest_silent() {
            Some(seat) => seat.leave(),
            None => return,
        }
    }
}

fn first_speaking() -> Option<Rc<Seat>> {
    LOBBY.with(|lobby| lobby.speaking.first(Seat::waits))
}

fn longest_silent() -> Option<Rc<Seat>> {
    LOBBY.with(|lobby| lobby.silent.first(Seat::is_silent))
}

/// Seats in order of arrival.
#[derive(Default)]
pub(crate) struct Queue(RefCell<BTreeMap<u64, Weak<Seat>>>);

impl Queue {
    pub(crate) fn add(&self, seat: &Rc<Seat>) {
        let mut seats = self.0.borrow_mut();
        seats.insert(seat.number, Rc::downgrade(seat));
    }

    /// Takes out the seat with this number, if it is there.
    pub(crate) fn remove(&self, number: u64) {
        self.0.borrow_mut().remove(&number);
    }

    /// Returns the first seat that is still as it was when it was added. Takes out those before it.
    pub(crate) fn first(&self, is: impl Fn(&Seat) -> bool) -> Option<Rc<Seat>> {
        loop {
            // No borrow is held when a seat is dropped: that takes it out of its queues.
            let first = self
                .0
                .borrow()
                .first_key_value()
                .map(|(number, seat)| (*number, seat.upgrade()));
            match first? {
                (_, Some(seat)) if is(&seat) => return Some(seat),
                (number, _) => self.remove(number),
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // At the end of the program the lobby may be gone first.
        let _ = LOBBY.try_with(|lobby| {
            lobby.silent.remove(self.number);
            lobby.speaking.remove(self.number);
        });
    }
}

#[derive(Default)]
struct Lobby {
    /// Seats whose peer has sent something, in order of arrival.
    speaking: Queue,
    /// Seats whose peer has sent nothing.
    silent: Queue,
    /// How many seats there have been.
    seats: Cell<u64>,
}

thread_local! {
    static LOBBY: Lobby = Lobby::default();
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Takes all places that are given out at once, then the lobby's.
    fn crowd() -> (Vec<Share>, VecDeque<Rc<Seat>>) {
        let (mut given, mut waiting) = (Vec::new(), VecDeque::new());
        while budget::fits(DEFERRED, LOBBY_CLOSES) {
            match admit() {
                Admission::Now(share) => given.push(share),
                Admission::Later(seat) => waiting.push_back(seat),
                Admission::Full => panic!("full before its time"),
            }
        }
        assert_eq!(given.len(), 2833);
        assert_eq!(waiting.len(), 8002);
        (given, waiting)
    }

    /// Removes the closed seats, as their tasks do.
    fn leave(waiting: &mut VecDeque<Rc<Seat>>) {
        waiting.retain(|seat| !seat.closed.get());
    }

    #[test]
    fn longest_silent_peer_leaves_for_an_arrival() {
        let (_given, mut waiting) = crowd();
        waiting[0].heard();
        for _ in 0..2000 {
            let oldest = waiting.iter().find(|seat| seat.is_silent()).cloned();
            let Admission::Later(seat) = admit() else {
                panic!("no place for an arrival");
            };
            assert!(oldest.is_some_and(|oldest| oldest.closed.get()));
            waiting.push_back(seat);
            leave(&mut waiting);
        }
        assert!(waiting[0].granted.get());
    }

    #[test]
    fn silent_peers_leave_for_those_that_speak() {
        let (_given, mut waiting) = crowd();
        let mut served = 0;
        while let Some(seat) = waiting.pop_back() {
            if seat.closed.get() {
                continue;
            }
            seat.heard();
            leave(&mut waiting);
            assert!(seat.granted.get());
            served += 1;
            waiting.push_front(seat);
            if waiting.iter().all(|seat| seat.granted.get()) {
                break;
            }
        }
        // All that there are handles for, beside those that were given out.
        assert_eq!(served, HANDLES_LEFT / ACCEPTED);
        assert!(waiting.iter().all(|seat| seat.granted.get()));
    }

    const HANDLES_LEFT: u32 = 96_000 - 2833 * ACCEPTED;

    #[test]
    fn no_more_leave_than_have_to() {
        let (given, mut waiting) = crowd();
        let mut speaking = Vec::new();
        for _ in 0..500 {
            let seat = waiting.pop_back().expect("a seat");
            seat.heard();
            speaking.push(seat);
        }
        // None of those who leave is gone yet: no more of them leave for that.
        let leaving = waiting.iter().filter(|seat| seat.closed.get()).count();
        assert!(leaving <= 7, "{leaving} leave");
        while !speaking.iter().all(|seat| seat.granted.get()) {
            leave(&mut waiting);
        }
        let left = 8002 - 500 - waiting.len();
        let needed = (92_000 + 500 * 21 - 96_000) / 3;
        assert!((needed..needed + 10).contains(&left), "{left} left");
        drop(given);
    }

    #[test]
    fn seats_that_are_gone_leave_nothing_behind_one_that_stays() {
        let (given, mut waiting) = crowd();
        let stays = waiting.pop_front();
        waiting.clear();
        for number in 0..10_000 {
            let Admission::Later(seat) = admit() else {
                panic!("no seat for arrival {number}");
            };
            if number % 2 == 0 {
                seat.heard();
            }
        }
        let queued = LOBBY.with(|lobby| {
            (
                lobby.silent.0.borrow().len(),
                lobby.speaking.0.borrow().len(),
            )
        });
        assert_eq!(queued, (1, 0));
        drop((given, stays));
    }

    #[test]
    fn all_who_wait_are_given_out_when_there_is_room() {
        let (given, waiting) = crowd();
        drop(given);
        let granted = waiting.iter().filter(|seat| seat.granted.get()).count();
        assert_eq!(granted, (68_000 - 8002 * 3) / 21);
    }
}
