//! Futures that run together in one task.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;

/// A set of futures without results. Each is polled when it was woken, in the order of the wakes.
///
/// `FuturesUnordered` of the crate futures wakes its task whenever it has polled as many futures as it has, so that the
/// task's other futures run too. With one future that is each poll; and a task of the component model that is awake
/// takes one more turn of the host. This set wakes its task only when a future of it is awake.
pub struct FutureSet<F> {
    members: Slab<(F, Arc<Member>)>,
    woken: Arc<Woken>,
}

impl<F: Future<Output = ()> + Unpin> FutureSet<F> {
    /// Creates an empty set.
    pub fn new() -> Self {
        FutureSet {
            members: Slab::new(),
            woken: Arc::default(),
        }
    }

    /// Adds a future. The next [`FutureSet::poll`] polls it; the caller sees to it that there is one.
    pub fn push(&mut self, future: F) {
        let entry = self.members.vacant_entry();
        let member = Arc::new(Member {
            key: entry.key(),
            is_woken: AtomicBool::new(true),
            woken: self.woken.clone(),
        });
        self.woken.lock().members.push_back(member.clone());
        entry.insert((future, member));
    }

    /// Returns whether no future is left.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Drops all futures.
    pub fn clear(&mut self) {
        self.woken.lock().members.clear();
        for (future, member) in self.members.drain() {
            member.ignore_wakes();
            drop(future);
        }
    }

    /// Polls the woken futures; those that wake each other, until as many were polled as the set has. Ready when none
    /// is left.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A future that wakes another one, or itself, is seen below.
        self.woken.lock().task = None;
        for _ in 0..self.members.len() {
            let Some(member) = self.woken.lock().members.pop_front() else {
                break;
            };
            self.poll_member(&member);
        }
        if self.members.is_empty() {
            return Poll::Ready(());
        }
        let mut woken = self.woken.lock();
        if !woken.members.is_empty() {
            cx.waker().wake_by_ref();
        }
        woken.task = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_member(&mut self, member: &Arc<Member>) {
        member.is_woken.store(false, Ordering::Relaxed);
        let Some((future, _)) = self.members.get_mut(member.key) else {
            return;
        };
        let waker = Waker::from(member.clone());
        if Pin::new(future)
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            member.ignore_wakes();
            let ended = self.members.try_remove(member.key);
            drop(ended);
        }
    }
}

impl<F: Future<Output = ()> + Unpin> Default for FutureSet<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Future<Output = ()> + Unpin> Extend<F> for FutureSet<F> {
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.push(future);
        }
    }
}

impl<F> Drop for FutureSet<F> {
    fn drop(&mut self) {
        // Wakers may outlive the set. The list must not keep them alive, since they keep the list.
        for (_, (_, member)) in &self.members {
            member.ignore_wakes();
        }
        self.woken.lock().members.clear();
    }
}

/// The futures that are to be polled, and the task that polls them.
#[derive(Default)]
struct Woken(Mutex<List>);

#[derive(Default)]
struct List {
    members: VecDeque<Arc<Member>>,
    /// None while the set is polled.
    task: Option<Waker>,
}

impl Woken {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future of a set, as its wakers see it.
struct Member {
    key: usize,
    /// It is on the list, or has ended.
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

impl Member {
    fn ignore_wakes(&self) {
        self.is_woken.store(true, Ordering::Relaxed);
    }
}

impl Wake for Member {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_woken.swap(true, Ordering::Relaxed) {
            return;
        }
        let task = {
            let mut woken = self.woken.lock();
            woken.members.push_back(self.clone());
            woken.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    type Boxed = Pin<Box<dyn Future<Output = ()>>>;

    /// A task that counts its wakes.
    #[derive(Default)]
    struct Task(std::sync::atomic::AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Task {
        fn wakes(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    /// A future that counts its polls, stores its waker, and ends when told to.
    #[derive(Default)]
    struct Probe {
        polls: Cell<usize>,
        waker: RefCell<Option<Waker>>,
        ends: Cell<bool>,
        /// Whether it wakes itself in each poll.
        is_restless: Cell<bool>,
    }

    impl Probe {
        fn future(self: &Rc<Self>) -> Boxed {
            let this = self.clone();
            Box::pin(poll_fn(move |cx| {
                this.polls.set(this.polls.get() + 1);
                this.waker.replace(Some(cx.waker().clone()));
                if this.is_restless.get() {
                    cx.waker().wake_by_ref();
                }
                match this.ends.get() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            }))
        }

        fn wake(&self) {
            self.waker.borrow().as_ref().expect("polled").wake_by_ref();
        }
    }

    fn poll(set: &mut FutureSet<Boxed>, task: &Arc<Task>) -> Poll<()> {
        set.poll(&mut Context::from_waker(&Waker::from(task.clone())))
    }

    #[test]
    fn a_poll_that_leaves_nothing_awake_wakes_nobody() {
        let (task, probe) = (Arc::new(Task::default()), Rc::new(Probe::default()));
        let mut set = FutureSet::new();
        set.push(probe.future());
        assert!(poll(&mut set, &task).is_pending());
        assert_eq!((probe.polls.get(), task.wakes()), (1, 0));
        assert!(poll(&mut set, &task).is_pending());
        assert_eq!(probe.polls.get(), 1, "it was not woken");
    }

    #[test]
    fn many_wakes_are_one_poll_and_one_wake_of_the_task() {
        let task = Arc::new(Task::default());
        let probes: Vec<_> = (0..3).map(|_| Rc::new(Probe::default())).collect();
        let mut set: FutureSet<Boxed> = FutureSet::default();
        set.extend(probes.iter().map(Probe::future));
        assert!(poll(&mut set, &task).is_pending());
        for _ in 0..2 {
            probes[0].wake();
            probes[2].wake();
        }
        assert_eq!(task.wakes(), 1);
        assert!(poll(&mut set, &task).is_pending());
        let polls: Vec<_> = probes.iter().map(|probe| probe.polls.get()).collect();
        assert_eq!((polls, task.wakes()), (vec![2, 1, 2], 0));
    }

    #[test]
    fn restless_futures_let_the_task_go_on() {
        let (task, probe) = (Arc::new(Task::default()), Rc::new(Probe::default()));
        probe.is_restless.set(true);
        let other = Rc::new(Probe::default());
        let mut set = FutureSet::new();
        set.extend([probe.future(), other.future()]);
        assert!(poll(&mut set, &task).is_pending());
        assert_eq!((other.polls.get(), task.wakes()), (1, 1));
        let polls = probe.polls.get();
        assert!(poll(&mut set, &task).is_pending());
        assert!(probe.polls.get() > polls, "it is polled again");
        assert_eq!(task.wakes(), 1);
    }

    #[test]
    fn the_last_end_is_the_end_of_the_set() {
        let task = Arc::new(Task::default());
        let probes: Vec<_> = (0..2).map(|_| Rc::new(Probe::default())).collect();
        let mut set = FutureSet::new();
        set.extend(probes.iter().map(Probe::future));
        assert!(poll(&mut set, &task).is_pending());
        for (probe, is_last) in probes.iter().zip([false, true]) {
            probe.ends.set(true);
            probe.wake();
            assert_eq!(poll(&mut set, &task).is_ready(), is_last);
        }
        assert!(set.is_empty());
    }

    #[test]
    fn late_wakes_do_nothing_and_leak_nothing() {
        let task = Arc::new(Task::default());
        let [ended, cleared, dropped] = std::array::from_fn(|_| Rc::new(Probe::default()));
        let mut set = FutureSet::new();
        set.push(ended.future());
        ended.ends.set(true);
        assert!(poll(&mut set, &task).is_ready());
        set.push(cleared.future());
        assert!(poll(&mut set, &task).is_pending());
        set.clear();
        assert!(set.is_empty());
        ended.wake();
        cleared.wake();
        set.push(dropped.future());
        assert!(poll(&mut set, &task).is_pending());
        assert_eq!(dropped.polls.get(), 1, "the wakes before were for others");
        let shared = Arc::downgrade(&set.woken);
        drop(set);
        dropped.wake();
        assert_eq!(task.wakes(), 0);
        for probe in [ended, cleared, dropped] {
            probe.waker.take();
        }
        assert!(shared.upgrade().is_none());
    }
}
