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

/// A standing list of events, and one wait for all of them. Callers choose the keys.
///
/// The waits for the events go on inside [`Watch::wait`] and at no other time. Events stay in the list, and each call reports
/// every event that is there: so a call that is dropped at any moment loses nothing. All calls belong to the same task, or to the
/// same wait set.
pub struct Watch(Rc<State>);

/// Something that can be waited for, any number of times. It does not keep its reader, writer or server: who drops that removes
/// the event, or [ends](Watch::end) it.
#[derive(Clone)]
pub struct Event(Rc<dyn Fn() -> Waiting>);

type Waiting = BoxFuture<'static, Result<(), Error>>;

impl Event {
    pub(crate) fn new<F: Future<Output = Result<(), Error>> + 'static>(
        begin: impl Fn() -> F + 'static,
    ) -> Self {
        Event(Rc::new(move || Box::pin(begin())))
    }

    /// Waits for the event, from the first poll on.
    ///
    /// # Errors
    ///
    /// Those of the call that waits for the same.
    pub fn wait(&self) -> impl Future<Output = Result<(), Error>> + use<> {
        (self.0)()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").finish_non_exhaustive()
    }
}

struct State {
    engine: Engine,
    /// From the first wait on.
    permit: RefCell<Option<HandlePermit>>,
    members: RefCell<BTreeMap<u32, Member>>,
    /// The members that the last call has reported, and some that are gone.
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
    key: u32,
    id: u64,
}

struct Member {
    id: u64,
    /// None once its resource is gone.
    event: Option<Event>,
    progress: Progress,
}

enum Progress {
    Waiting(Waiting, Arc<MemberWaker>),
    /// Its future is being polled.
    Polled,
    Over(Result<(), Error>),
}

impl Watch {
    /// Creates one without keys.
    pub fn new(engine: &Engine) -> Self {
        Watch(Rc::new(State {
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

    /// Adds an event under a key, in the place of the one before.
    pub fn add(&self, key: u32, event: Event) -> Place {
        let state = &self.0;
        let id = state.next_id.get();
        state.next_id.set(id.wrapping_add(1));
        let place = Place { key, id };
        let progress = state.begin(place, &event);
        let member = Member {
            id,
            event: Some(event),
            progress,
        };
        let before = state.members.borrow_mut().insert(key, member);
        // Dropped without a borrow: other code may run in it.
        drop(before);
        self.0.forget_removed();
        place
    }

    /// Removes a key and ends its wait; returns how that had gone, if the last call has reported it.
    pub fn remove(&self, key: u32) -> Option<Result<(), Error>> {
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

    /// Ends that member's wait with `error` for good, if it is still there: its resource is gone. It is reported until it is
    /// removed.
    pub fn end(&self, place: Place, error: Error) {
        self.0.end(place, error);
        self.0.woken.wake();
    }

    /// Waits until at least one of the events is there, or has become an error; returns the keys of all that are, in ascending
    /// order. The call is pending from now on; dropping the future leaves all keys as they are.
    ///
    /// # Errors
    ///
    /// `busy` while another call is pending, and `network(out-of-resources)`. The future's: `cancelled`.
    pub fn wait(&self) -> Result<impl Future<Output = Result<Vec<u32>, Error>> + use<>, Error> {
        let pending = Pending::begin(&self.0)?;
        let mut permit = self.0.permit.borrow_mut();
        if permit.is_none() {
            *permit = Some(self.0.engine.handles().watch()?);
        }
        Ok(async move {
            let Pending(state) = &pending;
            state.renew();
            poll_fn(|cx| state.poll(cx)).await
        })
    }

    /// Ends the call of [`Watch::wait`] that is pending with `cancelled`.
    pub fn cancel(&self) {
        if self.0.busy.get() {
            self.0.cancelled.set(true);
            self.0.woken.wake();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
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

    /// Begins the wait of a member.
    fn begin(&self, place: Place, event: &Event) -> Progress {
        let waker = Arc::new(MemberWaker {
            place,
            woken: self.woken.clone(),
            noted: AtomicBool::new(false),
        });
        waker.wake_by_ref();
        Progress::Waiting((event.0)(), waker)
    }

    /// Has the events that were reported waited for again, unless their resource is gone.
    fn renew(&self) {
        let reported = self.over.take();
        for place in reported {
            let Some(event) = self.event_of(place) else {
                continue;
            };
            match event {
                Some(event) => {
                    let progress = self.begin(place, &event);
                    self.set_progress(place, progress);
                }
                None => self.over.borrow_mut().push(place),
            }
        }
    }

    /// Returns the event of a member, if there is still a member, and an event.
    fn event_of(&self, place: Place) -> Option<Option<Event>> {
        let members = self.members.borrow();
        let member = members.get(&place.key)?;
        (member.id == place.id).then(|| member.event.clone())
    }

    fn set_progress(&self, place: Place, progress: Progress) {
        let mut members = self.members.borrow_mut();
        let member = members.get_mut(&place.key);
        if let Some(member) = member.filter(|member| member.id == place.id) {
            member.progress = progress;
        }
    }

    fn end(&self, place: Place, error: Error) {
        self.finish(place, Err(error.clone()));
        let mut members = self.members.borrow_mut();
        let member = members.get_mut(&place.key);
        if let Some(member) = member.filter(|member| member.id == place.id) {
            member.event = None;
            member.progress = Progress::Over(Err(error));
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Result<Vec<u32>, Error>> {
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
    fn take_event(&self, place: Place) -> Option<(Waiting, Arc<MemberWaker>)> {
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
    fn keys_over(&self) -> Vec<u32> {
        let members = self.members.borrow();
        let mut over = self.over.borrow_mut();
        over.retain(|place| {
            let member = members.get(&place.key);
            member.is_some_and(|member| member.id == place.id)
        });
        over.sort_unstable_by_key(|place| place.key);
        over.iter().map(|place| place.key).collect()
    }
}

/// A call of [`Watch::wait`], until it is dropped.
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
