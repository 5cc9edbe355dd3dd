//! The tasks: async calls, and the background of each host. Each turn polls one task.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::platform::BoxFuture;

use super::world::World;

/// The number of a task. Numbers are not reused.
pub(super) type TaskId = u64;

#[derive(Default)]
pub(super) struct Tasks {
    /// The futures of the tasks; `None` while a task is polled.
    futures: RefCell<BTreeMap<TaskId, Option<BoxFuture<'static, ()>>>>,
    next: RefCell<TaskId>,
    ready: Arc<Ready>,
}

#[derive(Default)]
struct Ready(Mutex<VecDeque<TaskId>>);

impl Ready {
    fn push(&self, task: TaskId) {
        let mut queue = self.0.lock().expect("no panic while it is locked");
        if !queue.contains(&task) {
            queue.push_back(task);
        }
    }
}

struct TaskWaker {
    task: TaskId,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.task);
    }
}

impl Tasks {
    /// Starts a task.
    pub(super) fn start(&self, future: BoxFuture<'static, ()>) -> TaskId {
        let mut next = self.next.borrow_mut();
        let task = *next;
        *next += 1;
        self.futures.borrow_mut().insert(task, Some(future));
        self.ready.push(task);
        task
    }

    pub(super) fn has_ready(&self) -> bool {
        !self
            .ready
            .0
            .lock()
            .expect("no panic while it is locked")
            .is_empty()
    }

    fn take_ready(&self, world: &World) -> Option<TaskId> {
        let mut queue = self.ready.0.lock().expect("no panic while it is locked");
        let place = world.below(queue.len());
        queue.remove(place)
    }

    fn waker(&self, task: TaskId) -> Waker {
        Waker::from(Arc::new(TaskWaker {
            task,
            ready: self.ready.clone(),
        }))
    }
}

impl World {
    /// Polls one task that is ready. Returns false if there is none.
    pub(super) fn turn(&self) -> bool {
        let Some(task) = self.tasks.take_ready(self) else {
            return false;
        };
        let Some(future) = self
            .tasks
            .futures
            .borrow_mut()
            .get_mut(&task)
            .map(Option::take)
        else {
            return true;
        };
        let Some(mut future) = future else {
            return true;
        };
        self.turn.set(self.turn.get() + 1);
        self.current.set(Some(task));
        let waker = self.tasks.waker(task);
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        match polled {
            Poll::Ready(()) => {
                drop(future);
                self.tasks.futures.borrow_mut().remove(&task);
                self.check_left(task);
            }
            Poll::Pending => {
                self.tasks.futures.borrow_mut().insert(task, Some(future));
            }
        }
        self.current.set(None);
        true
    }
}

/// A task that was started by [`Network::spawn`](super::Network::spawn). It continues when this is dropped.
pub struct Task<T>(Rc<RefCell<Shared<T>>>);

struct Shared<T> {
    output: Option<T>,
    waker: Option<Waker>,
}

impl<T: 'static> Task<T> {
    pub(super) fn start(world: &World, future: impl Future<Output = T> + 'static) -> Self {
        let shared = Rc::new(RefCell::new(Shared {
            output: None,
            waker: None,
        }));
        let task = Task(shared.clone());
        world.tasks.start(Box::pin(async move {
            let output = future.await;
            let mut shared = shared.borrow_mut();
            shared.output = Some(output);
            if let Some(waker) = shared.waker.take() {
                waker.wake();
            }
        }));
        task
    }

    /// Takes the output, if the task has ended.
    pub(super) fn output(&self) -> Option<T> {
        self.0.borrow_mut().output.take()
    }
}

impl<T: 'static> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut shared = self.0.borrow_mut();
        match shared.output.take() {
            Some(output) => Poll::Ready(output),
            None => {
                shared.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
