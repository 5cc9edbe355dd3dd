//! One wait for many connections: add, remove, wait for keys.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::engine::Engine;
use crate::platform::BoxFuture;
use crate::quota::HandlePermit;
use crate::types::Error;

/// Waits for many events at once. Callers choose the keys.
///
/// The waits for the events go on inside [`StandingWait::wait`] and at no other time. A key whose wait is over stays until it is
/// removed or added anew, and every [`StandingWait::wait`] returns it again: so a call that is dropped at any moment loses nothing.
pub struct StandingWait(Rc<State>);

struct State {
    engine: Engine,
    /// From the first wait on.
    permit: RefCell<Option<HandlePermit>>,
    members: RefCell<BTreeMap<u64, Member>>,
    /// The members whose wait is over, and some that are gone.
    over: RefCell<Vec<Place>>,
    woken: Arc<Woken>,
    next_id: Cell<u64>,
    /// A call of `wait` is pending.
    busy: Cell<bool>,
    /// `cancel` was called for it.
    cancelled: Cell<bool>,
}

/// A member: a key, and which of the members that had it one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    key: u64,
    id: u64,
}

struct Member {
    id: u64,
    progress: Progress,
}

enum Progress {
    Waiting(BoxFuture<'static, Result<(), Error>>, Arc<MemberWaker>),
    /// Its future is being polled.
    Polled,
    Over(Result<(), Error>),
}

impl StandingWait {
    /// Creates one without keys.
    pub fn new(engine: &Engine) -> Self {
        StandingWait(Rc::new(State {
            engine: engine.clone(),
            permit: RefCell::default(),
            members: RefCell::default(),
            over: RefCell::default(),
            woken: Arc::default(),
            next_id: Cell::new(0),
            busy: Cell::new(false),
            cancelled: Cell::new(false),
        }))
    }

    /// Adds an event under a key, in the place of the one before. `event` is polled in [`StandingWait::wait`] only.
    pub fn add(
        &self,
        key: u64,
        event: impl Future<Output = Result<(), Error>> + 'static,
    ) -> Place {
        let state = &self.0;
        let id = state.next_id.get();
        state.next_id.set(id.wrapping_add(1));
        let place = Place { key, id };
        let waker = Arc::new(MemberWaker {
            place,
            woken: state.woken.clone(),
            noted: AtomicBool::new(false),
        });
        waker.wake_by_ref();
        let progress = Progress::Waiting(Box::pin(event), waker);
        let member = Member { id, progress };
        let before = state.members.borrow_mut().insert(key, member);
        // Dropped without a borrow: other code may run in it.
        drop(before);
        self.0.forget_removed();
        place
    }

    /// Removes a key and ends its wait; returns how that had gone, if it was over.
    pub fn remove(&self, key: u64) -> Option<Result<(), Error>> {
        let member = self.0.members.borrow_mut().remove(&key)?;
        match member.progress {
            Progress::Over(result) => Some(result),
            Progress::Waiting(..) | Progress::Polled => None,
        }
    }

    /// Returns whether that member is still there.
    pub fn has(&self, place: Place) -> bool {
        let members = self.0.members.borrow();
        let member = members.get(&place.key);
        member.is_some_and(|member| member.id == place.id)
    }

    /// Ends that member's wait with `error`, if it is still there and its wait is not over.
    pub fn end(&self, place: Place, error: Error) {
        self.0.finish(place, Err(error));
        self.0.woken.wake();
    }

    /// Waits until the wait of at least one key is over; returns all such keys. The call is pending from now on; dropping the
    /// future leaves all keys as they are.
    ///
    /// # Errors
    ///
    /// `busy` while another call is pending, and `network(out-of-resources)`. The future's: `cancelled`.
    pub fn wait(&self) -> Result<impl Future<Output = Result<Vec<u64>, Error>> + use<>, Error> {
        let pending = Pending::begin(&self.0)?;
        let mut permit = self.0.permit.borrow_mut();
        if permit.is_none() {
            *permit = Some(self.0.engine.handles().standing_wait()?);
        }
        Ok(async move {
            let Pending(state) = &pending;
            poll_fn(|cx| state.poll(cx)).await
        })
    }

    /// Ends the call of [`StandingWait::wait`] that is pending with `cancelled`.
    pub fn cancel(&self) {
        if self.0.busy.get() {
            self.0.cancelled.set(true);
            self.0.woken.wake();
        }
    }
}

impl fmt::Debug for StandingWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandingWait").finish_non_exhaustive()
    }
}

impl State {
    /// Drops members that are gone from those that are to be polled, where they are many: a caller may add and remove without
    /// ever waiting.
    fn forget_removed(&self) {
        let members = self.members.borrow();
        let most = members.len().saturating_mul(2).saturating_add(64);
        let mut places = lock(&self.woken.places);
        if places.len() > most {
            places.retain(|place| {
                let member = members.get(&place.key);
                member.is_some_and(|member| member.id == place.id)
            });
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Result<Vec<u64>, Error>> {
        if self.cancelled.get() {
            return Poll::Ready(Err(Error::Cancelled));
        }
        self.woken.register(cx);
        // Those that wake themselves come again in the next poll, so that others have a turn.
        for place in self.woken.take() {
            self.poll_member(place);
        }
        let keys = self.keys_over();
        if keys.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(keys))
        }
    }

    fn poll_member(&self, place: Place) {
        let Some((mut event, waker)) = self.take_event(place) else {
            return;
        };
        waker.noted.store(false, Ordering::Relaxed);
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
    fn take_event(
        &self,
        place: Place,
    ) -> Option<(BoxFuture<'static, Result<(), Error>>, Arc<MemberWaker>)> {
        let mut members = self.members.borrow_mut();
        let member = members.get_mut(&place.key)?;
        if member.id != place.id || !matches!(member.progress, Progress::Waiting(..)) {
            return None;
        }
        match mem::replace(&mut member.progress, Progress::Polled) {
            Progress::Waiting(event, waker) => Some((event, waker)),
            Progress::Polled | Progress::Over(_) => None,
        }
    }

    /// Puts back the future of a member, unless the member has gone or was ended meanwhile.
    fn put_back(&self, place: Place, progress: Progress) {
        let mut members = self.members.borrow_mut();
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

    /// Notes that the wait of a member is over.
    fn finish(&self, place: Place, result: Result<(), Error>) {
        let mut members = self.members.borrow_mut();
        let Some(member) = members.get_mut(&place.key) else {
            return;
        };
        if member.id != place.id || matches!(member.progress, Progress::Over(_)) {
            return;
        }
        let before = mem::replace(&mut member.progress, Progress::Over(result));
        self.over.borrow_mut().push(place);
        drop(members);
        drop(before);
    }

    /// Returns the keys whose wait is over, and forgets members that are gone.
    fn keys_over(&self) -> Vec<u64> {
        let members = self.members.borrow();
        let mut over = self.over.borrow_mut();
        over.retain(|place| {
            let member = members.get(&place.key);
            member.is_some_and(|member| member.id == place.id)
        });
        over.iter().map(|place| place.key).collect()
    }
}

/// A call of [`StandingWait::wait`], until it is dropped.
struct Pending(Rc<State>);

impl Pending {
    fn begin(state: &Rc<State>) -> Result<Self, Error> {
        if state.busy.replace(true) {
            return Err(Error::Busy);
        }
        state.cancelled.set(false);
        Ok(Pending(state.clone()))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

/// The members that are to be polled. Wakers must be able to move between threads, so it has locks; there is one thread.
#[derive(Default)]
struct Woken {
    places: Mutex<Vec<Place>>,
    waiter: Mutex<Option<Waker>>,
}

impl Woken {
    fn note(&self, place: Place) {
        lock(&self.places).push(place);
        self.wake();
    }

    fn take(&self) -> Vec<Place> {
        mem::take(&mut *lock(&self.places))
    }

    /// Has `cx`'s future polled again after the next [`Woken::wake`].
    fn register(&self, cx: &Context<'_>) {
        let mut waiter = lock(&self.waiter);
        match waiter.as_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waiter = Some(cx.waker().clone()),
        }
    }

    fn wake(&self) {
        let waiter = lock(&self.waiter).take();
        if let Some(waker) = waiter {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct MemberWaker {
    place: Place,
    woken: Arc<Woken>,
    /// It is among the members that are to be polled.
    noted: AtomicBool,
}

impl Wake for MemberWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.noted.swap(true, Ordering::Relaxed) {
            self.woken.note(self.place);
        }
    }
}
