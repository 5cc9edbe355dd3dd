//! The keys of a watch, and the waits for their events.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BinaryHeap};
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::types::Error;

use super::event::{Event, Waiting};
use super::woken::{MemberWaker, Woken};

/// A member: a key, and which of the members that had this key one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    key: u32,
    id: u64,
}

/// The members, by their keys.
#[derive(Default)]
pub(super) struct Members {
    all: RefCell<BTreeMap<u32, Member>>,
    /// Those whose wait has not begun, and some that are gone.
    new: RefCell<Vec<Place>>,
    /// Those whose wait is over, and some that are gone.
    over: RefCell<Vec<Place>>,
    next_id: Cell<u64>,
    pub(super) woken: Arc<Woken>,
}

struct Member {
    id: u64,
    event: Rc<Event>,
    progress: Progress,
}

enum Progress {
    Waiting(Waiting, Arc<MemberWaker>),
    /// Its future is being polled.
    Polled,
    Over(Result<(), Error>),
}

impl Members {
    /// As [`super::Watch::add`].
    pub(super) fn add(&self, key: u32, event: Event) -> Place {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        let place = Place { key, id };
        let member = Member {
            id,
            progress: self.begin(place, &event),
            event: Rc::new(event),
        };
        let before = self.all.borrow_mut().insert(key, member);
        // Dropped without a borrow: other code may run in it.
        drop(before);
        self.forget_removed();
        place
    }

    /// As [`super::Watch::remove`].
    pub(super) fn remove(&self, key: u32) -> Option<Result<(), Error>> {
        let member = self.all.borrow_mut().remove(&key)?;
        match member.progress {
            Progress::Over(result) => Some(result),
            Progress::Waiting(..) | Progress::Polled => None,
        }
    }

    /// As [`super::Watch::has`].
    pub(super) fn has(&self, place: Place) -> bool {
        is_there(&self.all.borrow(), place)
    }

    /// As [`super::Watch::end`].
    pub(super) fn end(&self, place: Place, error: Error) {
        self.finish(place, Err(error));
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
        let Some(id) = self.all.borrow().get(&key).map(|member| member.id) else {
            return false;
        };
        let place = Place { key, id };
        // One that was not reported yet will be.
        if !self.over.borrow().contains(&place) {
            self.renew_member(place);
        }
        true
    }

    fn renew_member(&self, place: Place) {
        let event = match self.all.borrow().get(&place.key) {
            Some(member) if member.id == place.id => match member.progress {
                Progress::Over(Ok(())) => member.event.clone(),
                Progress::Over(Err(_)) => return self.over.borrow_mut().push(place),
                Progress::Waiting(..) | Progress::Polled => return,
            },
            _ => return,
        };
        let progress = self.begin(place, &event);
        if let Some(member) = self.all.borrow_mut().get_mut(&place.key) {
            member.progress = progress;
        }
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
        let members = self.all.borrow();
        let mut over = self.over.borrow_mut();
        over.retain(|place| is_there(&members, *place));
        let keys: BinaryHeap<u32> = over.iter().map(|place| place.key).collect();
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

    /// Creates the wait of a member, which its first poll begins: the caller sees to that.
    fn begin(&self, place: Place, event: &Event) -> Progress {
        self.new.borrow_mut().push(place);
        Progress::Waiting(event.begin(), MemberWaker::new(place, &self.woken))
    }

    fn poll(&self, place: Place) {
        let Some((mut event, waker)) = self.take_event(place) else {
            return;
        };
        waker.polled();
        let task = Waker::from(waker.clone());
        match event.as_mut().poll(&mut Context::from_waker(&task)) {
            Poll::Ready(result) => {
                drop(event);
                self.finish(place, result);
            }
            Poll::Pending => self.put_back(place, Progress::Waiting(event, waker)),
        }
    }

    /// Takes out the future of a member: no borrow is held while it is polled.
    fn take_event(&self, place: Place) -> Option<(Waiting, Arc<MemberWaker>)> {
        let mut members = self.all.borrow_mut();
        let member = members.get_mut(&place.key)?;
        if member.id != place.id || !matches!(member.progress, Progress::Waiting(..)) {
            return None;
        }
        match mem::replace(&mut member.progress, Progress::Polled) {
            Progress::Waiting(event, waker) => Some((event, waker)),
            Progress::Polled | Progress::Over(_) => None,
        }
    }

    /// Puts back the future of a member, unless the member is gone or was ended meanwhile.
    fn put_back(&self, place: Place, progress: Progress) {
        let mut members = self.all.borrow_mut();
        if let Some(member) = members.get_mut(&place.key)
            && member.id == place.id
            && matches!(member.progress, Progress::Polled)
        {
            member.progress = progress;
            return;
        }
        drop(members);
        drop(progress);
    }

    /// Notes that the wait of a member is over. An error takes the place of an event that was there.
    fn finish(&self, place: Place, result: Result<(), Error>) {
        let mut members = self.all.borrow_mut();
        let Some(member) = members.get_mut(&place.key) else {
            return;
        };
        if member.id != place.id {
            return;
        }
        let before = mem::replace(&mut member.progress, Progress::Over(result));
        if !matches!(before, Progress::Over(_)) {
            self.over.borrow_mut().push(place);
        }
        // Dropped without a borrow: other code may run in it.
        drop(members);
        drop(before);
    }

    /// Forgets members that are gone where they are many: a caller may add and remove without ever waiting.
    fn forget_removed(&self) {
        let members = self.all.borrow();
        let most = members.len().saturating_mul(2).saturating_add(64);
        for places in [&self.new, &self.over] {
            let mut places = places.borrow_mut();
            if places.len() > most {
                places.retain(|place| is_there(&members, *place));
            }
        }
    }
}

fn is_there(members: &BTreeMap<u32, Member>, place: Place) -> bool {
    members
        .get(&place.key)
        .is_some_and(|member| member.id == place.id)
}
