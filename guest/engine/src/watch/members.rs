//! The keys of a watch, and the waits for their events.

use std::cell::{Cell, RefCell};
use std::collections::BinaryHeap;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::ordered::{Key, OrderedMap};
use crate::types::Error;

use super::event::Event;
use super::place::Place;
use super::woken::{MemberWaker, Woken};

/// The members.
#[derive(Default)]
pub(super) struct Members {
    /// A message finds its member here several times, and by its key hardly ever.
    slots: RefCell<Slab<Member>>,
    /// The slots of the members, by their keys.
    keys: RefCell<OrderedMap<usize>>,
    /// Those whose wait has not begun, and some that are gone.
    new: RefCell<Vec<Place>>,
    /// Those whose wait is over, and some that are gone.
    over: RefCell<Vec<Place>>,
    next_id: Cell<u64>,
    pub(super) woken: Arc<Woken>,
}

struct Member {
    key: u32,
    id: u64,
    /// None while it is being polled or begun, and after it was ended meanwhile.
    event: Option<Event>,
    waker: Arc<MemberWaker>,
    progress: Progress,
}

enum Progress {
    Waiting,
    /// Its event is being polled.
    Polled,
    Over(Result<(), Error>),
}

impl Members {
    /// As [`super::Watch::add`].
    pub(super) fn add(&self, key: u32, mut event: Event) -> Place {
        event.begin();
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        let mut slots = self.slots.borrow_mut();
        let entry = slots.vacant_entry();
        let place = Place {
            slot: entry.key(),
            id,
        };
        entry.insert(Member {
            key,
            id,
            event: Some(event),
            waker: MemberWaker::new(place, &self.woken),
            progress: Progress::Waiting,
        });
        let before = self.keys.borrow_mut().insert(as_key(key), place.slot);
        let before = before.and_then(|slot| slots.try_remove(slot));
        drop(slots);
        // Dropped without a borrow: other code may run in it.
        drop(before);
        self.new.borrow_mut().push(place);
        self.forget_removed();
        place
    }

    /// As [`super::Watch::remove`].
    pub(super) fn remove(&self, key: u32) -> Option<Result<(), Error>> {
        let slot = self.keys.borrow_mut().remove(as_key(key))?;
        let member = self.slots.borrow_mut().try_remove(slot)?;
        match member.progress {
            Progress::Over(result) => Some(result),
            Progress::Waiting | Progress::Polled => None,
        }
    }

    /// As [`super::Watch::has`].
    pub(super) fn has(&self, place: Place) -> bool {
        is_there(&self.slots.borrow(), place)
    }

    /// As [`super::Watch::end`].
    pub(super) fn end(&self, place: Place, error: Error) {
        let mut slots = self.slots.borrow_mut();
        let Some(member) = member(&mut slots, place) else {
            return;
        };
        let event = member.event.take();
        // The error takes the place of an event that was there.
        let before = mem::replace(&mut member.progress, Progress::Over(Err(error)));
        if !matches!(before, Progress::Over(_)) {
            self.over.borrow_mut().push(place);
        }
        // Dropped without a borrow: other code may run in it.
        drop(slots);
        drop((event, before));
        self.woken.wake();
    }

    /// Has the events that were there waited for again. An error stays until its member is removed: a later wait may not meet it.
    pub(super) fn renew(&self) {
        for place in self.over.take() {
            self.renew_member(place);
        }
    }

    /// As [`super::Watch::again`].
    pub(super) fn again(&self, key: u32) -> bool {
        let slot = self.keys.borrow().get(as_key(key)).copied();
        let id = slot.and_then(|slot| self.slots.borrow().get(slot).map(|member| member.id));
        let (Some(slot), Some(id)) = (slot, id) else {
            return false;
        };
        let place = Place { slot, id };
        // One that was not reported yet will be.
        if !self.over.borrow().contains(&place) {
            self.renew_member(place);
        }
        true
    }

    fn renew_member(&self, place: Place) {
        let mut slots = self.slots.borrow_mut();
        let Some(member) = member(&mut slots, place) else {
            return;
        };
        match member.progress {
            Progress::Over(Ok(())) => {}
            Progress::Over(Err(_)) => return self.over.borrow_mut().push(place),
            Progress::Waiting | Progress::Polled => return,
        }
        let Some(mut event) = member.event.take() else {
            return;
        };
        member.progress = Progress::Polled;
        member.waker.about_to_be_polled();
        drop(slots);
        event.begin();
        self.new.borrow_mut().push(place);
        self.put_back(place, event, Progress::Waiting);
    }

    /// Polls the members whose wait has not begun.
    pub(super) fn poll_new(&self) {
        for place in self.new.take() {
            self.poll(place);
        }
    }

    /// Polls the members that were woken. A member that wakes itself is polled again by the next call, so that others have a turn.
    pub(super) fn poll_woken(&self) {
        for place in self.woken.take() {
            self.poll(place);
        }
    }

    /// Returns the keys whose wait is over, in ascending order.
    pub(super) fn keys_over(&self) -> Vec<u32> {
        let slots = self.slots.borrow();
        let mut over = self.over.borrow_mut();
        over.retain(|place| is_there(&slots, *place));
        let members = over.iter().filter_map(|place| slots.get(place.slot));
        let keys: BinaryHeap<u32> = members.map(|member| member.key).collect();
        // It is smaller than the sort of the standard library.
        keys.into_sorted_vec()
    }

    /// Takes the keys whose wait is over: they are not returned again, unless their wait begins again.
    pub(super) fn take_over(&self) -> Vec<u32> {
        let mut keys = self.keys_over();
        keys.dedup();
        self.over.borrow_mut().clear();
        keys
    }

    fn poll(&self, place: Place) {
        let Some((mut event, waker)) = self.take_event(place) else {
            return;
        };
        waker.polled();
        let task = Waker::from(waker);
        let progress = match event.poll(&mut Context::from_waker(&task)) {
            Poll::Ready(result) => {
                event.end();
                Progress::Over(result)
            }
            Poll::Pending => Progress::Waiting,
        };
        self.put_back(place, event, progress);
    }

    /// Takes out the event of a member: no borrow is held while it is polled.
    fn take_event(&self, place: Place) -> Option<(Event, Arc<MemberWaker>)> {
        let mut slots = self.slots.borrow_mut();
        let member = member(&mut slots, place)?;
        if !matches!(member.progress, Progress::Waiting) {
            return None;
        }
        member.progress = Progress::Polled;
        Some((member.event.take()?, member.waker.clone()))
    }

    /// Puts back the event of a member, unless the member is gone or was ended meanwhile.
    fn put_back(&self, place: Place, event: Event, progress: Progress) {
        let mut slots = self.slots.borrow_mut();
        if let Some(member) = member(&mut slots, place)
            && matches!(member.progress, Progress::Polled)
        {
            if matches!(progress, Progress::Over(_)) {
                self.over.borrow_mut().push(place);
            }
            member.event = Some(event);
            member.progress = progress;
            return;
        }
        // Dropped without a borrow: other code may run in it.
        drop(slots);
        drop(event);
    }

    /// Forgets members that are gone where they are many: a caller may add and remove without ever waiting.
    fn forget_removed(&self) {
        let slots = self.slots.borrow();
        let most = slots.len().saturating_mul(2).saturating_add(64);
        for places in [&self.new, &self.over] {
            let mut places = places.borrow_mut();
            if places.len() > most {
                places.retain(|place| is_there(&slots, *place));
            }
        }
    }
}

fn as_key(key: u32) -> Key {
    (key.into(), 0)
}

fn member(slots: &mut Slab<Member>, place: Place) -> Option<&mut Member> {
    slots
        .get_mut(place.slot)
        .filter(|member| member.id == place.id)
}

fn is_there(slots: &Slab<Member>, place: Place) -> bool {
    slots
        .get(place.slot)
        .is_some_and(|member| member.id == place.id)
}
