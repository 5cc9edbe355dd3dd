//! The members that are to be polled, and the future that polls them.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use super::place::Place;

/// The members that are to be polled. It has locks because a waker may move between threads; there is one thread.
#[derive(Default)]
pub(super) struct Woken {
    places: Mutex<Vec<Place>>,
    /// A wait is pending. It polls the members then, the background otherwise.
    waiting: AtomicBool,
    waiter: Mutex<Option<Waker>>,
    background: Mutex<Option<Waker>>,
}

impl Woken {
    /// Begins a wait; returns false while another one is pending.
    pub(super) fn begin_wait(&self) -> bool {
        !self.waiting.swap(true, Ordering::Relaxed)
    }

    /// Ends the pending wait.
    pub(super) fn end_wait(&self) {
        self.waiting.store(false, Ordering::Relaxed);
        lock(&self.waiter).take();
        if !lock(&self.places).is_empty() {
            self.wake_background();
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self) -> Vec<Place> {
        mem::take(&mut *lock(&self.places))
    }

    /// Stores the waker of the pending wait for the next [`Woken::wake`].
    pub(super) fn register_waiter(&self, cx: &Context<'_>) {
        register(&self.waiter, cx);
    }

    /// Stores the waker of the future in the background.
    pub(super) fn register_background(&self, cx: &Context<'_>) {
        register(&self.background, cx);
    }

    /// Wakes the pending wait or the reports, if there are any.
    pub(super) fn wake(&self) {
        wake(&self.waiter);
    }

    /// Wakes the future in the background.
    pub(super) fn wake_background(&self) {
        wake(&self.background);
    }

    fn note(&self, place: Place) {
        lock(&self.places).push(place);
        if self.is_waiting() {
            self.wake();
        } else {
            self.wake_background();
        }
    }
}

/// The waker of one member.
pub(super) struct MemberWaker {
    place: Place,
    woken: Arc<Woken>,
    /// It is among the members that are to be polled.
    noted: AtomicBool,
}

impl MemberWaker {
    /// Creates the waker of a member that is about to be polled.
    pub(super) fn new(place: Place, woken: &Arc<Woken>) -> Arc<Self> {
        Arc::new(MemberWaker {
            place,
            woken: woken.clone(),
            noted: AtomicBool::new(true),
        })
    }

    /// The member will be polled: until then a wake changes nothing.
    pub(super) fn about_to_be_polled(&self) {
        self.noted.store(true, Ordering::Relaxed);
    }

    /// The member is being polled: it can be woken again.
    pub(super) fn polled(&self) {
        self.noted.store(false, Ordering::Relaxed);
    }
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

fn register(slot: &Mutex<Option<Waker>>, cx: &Context<'_>) {
    let mut slot = lock(slot);
    match slot.as_mut() {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn wake(slot: &Mutex<Option<Waker>>) {
    let waker = lock(slot).take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
