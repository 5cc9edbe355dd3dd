//! The part of a task that its wakers and its operations share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;

use crate::abi;
use crate::operation::Event;
use crate::spawned;
use crate::wait_set::{self, WaitSet};

/// The state of a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The task is being polled.
    Polling,
    /// The task will be polled anyway, or never again.
    Woken,
    /// The task waits for the host.
    Sleeping,
}

/// The shared part of a task.
pub(crate) struct Shared {
    pub(crate) state: Cell<State>,
    /// `None` until the task has something to wait for.
    pub(crate) wait_set: RefCell<Option<WaitSet>>,
    waits: RefCell<Waits>,
    /// It outlives the tasks that it belongs to one after the other, with the operations that are pending.
    pub(crate) outlives: bool,
}

/// The pending operations; usually there is one.
#[derive(Default)]
struct Waits {
    one: Option<(u32, Wait)>,
    more: BTreeMap<u32, Wait>,
}

/// The receiver of an operation's event.
enum Wait {
    /// An operation of wit-bindgen, by its C ABI.
    Foreign {
        callback: abi::Callback,
        ptr: *mut c_void,
    },
    /// An operation of this crate.
    Own(Rc<Event>),
}

impl Wait {
    /// Returns the pointer that wit-bindgen expects when its operation is replaced or removed.
    fn ptr(&self) -> *mut c_void {
        match self {
            Wait::Foreign { ptr, .. } => *ptr,
            Wait::Own(_) => ptr::null_mut(),
        }
    }
}

thread_local! {
    /// The running task; `None` in a sync call or a destructor.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Returns the running task, if there is one.
pub(crate) fn current() -> Option<Arc<Shared>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Returns whether a task is running.
pub(crate) fn is_in_task() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

// SAFETY: Components have one thread. On other targets there are no tasks.
unsafe impl Send for Shared {}
// SAFETY: As above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Self::with(false)
    }

    /// One that outlives its tasks.
    pub(crate) fn standing() -> Arc<Self> {
        Self::with(true)
    }

    fn with(outlives: bool) -> Arc<Self> {
        Arc::new(Shared {
            state: Cell::new(State::Woken),
            wait_set: RefCell::new(None),
            waits: RefCell::default(),
            outlives,
        })
    }

    /// Returns whether operations are pending.
    pub(crate) fn waits(&self) -> bool {
        let waits = self.waits.borrow();
        waits.one.is_some() || !waits.more.is_empty()
    }

    /// Goes to sleep. Returns the set that the host has to wait for.
    pub(crate) fn sleep(&self) -> u32 {
        self.state.set(State::Sleeping);
        let mut wait_set = self.wait_set.borrow_mut();
        wait_set.get_or_insert_with(WaitSet::take).listen()
    }

    /// Delivers the events that pending operations already have.
    pub(crate) fn catch_up(&self) {
        while self.waits() {
            let wait_set = self.wait_set.borrow();
            let happened = wait_set.as_ref().and_then(WaitSet::poll);
            drop(wait_set);
            match happened {
                Some([waitable, code]) => self.deliver(waitable, code),
                None => return,
            }
        }
    }

    /// Delivers the event `code` of a waitable.
    pub(crate) fn deliver(&self, waitable: u32, code: u32) {
        let mut wait_set = self.wait_set.borrow_mut();
        if wait_set
            .as_mut()
            .is_some_and(|wait_set| wait_set.heard(waitable))
        {
            return;
        }
        drop(wait_set);
        wait_set::leave(waitable);
        let wait = self.waits.borrow_mut().remove(waitable);
        match wait {
            // SAFETY: The operation keeps `ptr` valid until it is called or unregisters.
            Some(Wait::Foreign { callback, ptr }) => unsafe { callback(ptr, code) },
            Some(Wait::Own(event)) => event.arrive(code),
            None => {}
        }
    }

    /// Adds an operation's waitable to this task's set.
    pub(crate) fn add(&self, waitable: u32, event: Rc<Event>) {
        self.register(waitable, Wait::Own(event));
    }

    /// Takes an operation's waitable out of this task's set.
    pub(crate) fn remove(&self, waitable: u32) {
        self.unregister(waitable);
    }

    /// Runs `f` as this task.
    pub(crate) fn enter<T>(self: &Arc<Self>, f: impl FnOnce() -> T) -> T {
        let mut task = abi::Task {
            version: abi::VERSION,
            ptr: Arc::as_ptr(self).cast_mut().cast(),
            waitable_register: VTABLE.waitable_register,
            waitable_unregister: VTABLE.waitable_unregister,
            vtable: &VTABLE,
        };
        // SAFETY: `task` lives until the task before it is set again.
        let entered = Entered {
            abi: unsafe { abi::task_set(&mut task) },
            task: CURRENT.replace(Some(self.clone())),
        };
        let result = f();
        drop(entered);
        result
    }

    fn register(&self, waitable: u32, wait: Wait) -> *mut c_void {
        let mut wait_set = self.wait_set.borrow_mut();
        wait_set.get_or_insert_with(WaitSet::take).join(waitable);
        let before = self.waits.borrow_mut().insert(waitable, wait);
        before.map_or(ptr::null_mut(), |wait| wait.ptr())
    }

    fn unregister(&self, waitable: u32) -> *mut c_void {
        wait_set::leave(waitable);
        let before = self.waits.borrow_mut().remove(waitable);
        before.map_or(ptr::null_mut(), |wait| wait.ptr())
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.replace(State::Woken) == State::Sleeping
            && let Some(wait_set) = self.wait_set.borrow_mut().as_mut()
        {
            wait_set.wake_task();
        }
    }
}

impl Waits {
    fn insert(&mut self, waitable: u32, wait: Wait) -> Option<Wait> {
        match &mut self.one {
            Some((known, one)) if *known == waitable => Some(std::mem::replace(one, wait)),
            None if !self.more.contains_key(&waitable) => {
                self.one = Some((waitable, wait));
                None
            }
            _ => self.more.insert(waitable, wait),
        }
    }

    fn remove(&mut self, waitable: u32) -> Option<Wait> {
        match self.one.take_if(|(known, _)| *known == waitable) {
            Some((_, one)) => Some(one),
            None => self.more.remove(&waitable),
        }
    }
}

/// Restores the task that ran before, for wit-bindgen and for this crate.
struct Entered {
    abi: *mut abi::Task,
    task: Option<Arc<Shared>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: This task was set before, and its owner still exists.
        unsafe { abi::task_set(self.abi) };
        CURRENT.set(self.task.take());
    }
}

static VTABLE: abi::Vtable = abi::Vtable {
    waitable_register,
    waitable_unregister,
    drop: drop_task,
    clone: clone_task,
    rust_spawn: Some(rust_spawn),
};

/// Returns the task behind a pointer of the C ABI, without taking ownership.
///
/// # Safety
/// The pointer comes from `enter` or `clone_task`, and its owner keeps it.
unsafe fn borrow(task: *mut c_void) -> ManuallyDrop<Arc<Shared>> {
    // SAFETY: Guaranteed by the caller.
    ManuallyDrop::new(unsafe { Arc::from_raw(task.cast::<Shared>()) })
}

unsafe extern "C" fn waitable_register(
    task: *mut c_void,
    waitable: u32,
    callback: abi::Callback,
    ptr: *mut c_void,
) -> *mut c_void {
    // SAFETY: By the C ABI, `task` is such a pointer.
    unsafe { borrow(task) }.register(waitable, Wait::Foreign { callback, ptr })
}

unsafe extern "C" fn waitable_unregister(task: *mut c_void, waitable: u32) -> *mut c_void {
    // SAFETY: As above.
    unsafe { borrow(task) }.unregister(waitable)
}

unsafe extern "C" fn clone_task(task: *mut c_void) -> *mut c_void {
    // SAFETY: As above.
    let task = unsafe { borrow(task) };
    Arc::into_raw(Arc::clone(&task)).cast_mut().cast()
}

unsafe extern "C" fn drop_task(task: *mut c_void) {
    // SAFETY: By the C ABI, `task` was cloned, and this drops the clone.
    drop(unsafe { Arc::from_raw(task.cast::<Shared>()) });
}

unsafe fn rust_spawn(_: *mut c_void, future: Box<dyn Future<Output = ()>>) {
    spawned::push(Box::into_pin(future));
}
