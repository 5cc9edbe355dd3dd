//! The part of a task that its wakers and its operations share.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;

use asyncio_streams_engine::ordered::{Key, OrderedMap};

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
    members: RefCell<Members>,
    /// The number of members whose operation is pending.
    pending: Cell<usize>,
    /// It outlives the tasks that it belongs to one after the other, with the operations that are pending.
    pub(crate) outlives: bool,
}

/// The members of the wait set, by their waitables; usually there is one.
///
/// The end of a stream or of a future stays there after its operation has ended, for the next one: joining a set and leaving it
/// are calls of the host.
#[derive(Default)]
struct Members {
    one: Option<(u32, Member)>,
    more: OrderedMap<Member>,
}

/// The receiver of a waitable's events.
enum Member {
    /// An operation of wit-bindgen, by its C ABI.
    Foreign {
        callback: abi::Callback,
        ptr: *mut c_void,
    },
    /// The operations of this crate.
    Own(Rc<Event>),
}

impl Member {
    /// Returns the pointer that wit-bindgen expects when its operation is replaced or removed.
    fn ptr(&self) -> *mut c_void {
        match self {
            Member::Foreign { ptr, .. } => *ptr,
            Member::Own(_) => ptr::null_mut(),
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
// SAFETY: Components have one thread. On other targets there are no tasks.
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
            members: RefCell::default(),
            pending: Cell::new(0),
            outlives,
        })
    }

    /// Returns whether operations are pending.
    pub(crate) fn waits(&self) -> bool {
        self.pending.get() > 0
    }

    /// Returns whether several operations are pending.
    pub(crate) fn waits_for_many(&self) -> bool {
        self.pending.get() > 1
    }

    /// Empties the wait set and takes it. No operation may be pending.
    pub(crate) fn take_wait_set(&self) -> Option<WaitSet> {
        debug_assert!(!self.waits(), "an operation is pending");
        for waitable in self.members.take().waitables() {
            wait_set::leave(waitable);
        }
        self.wait_set.take()
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
        let stays = match self.members.borrow().get(waitable) {
            Some(Member::Own(event)) if !event.ends_with(code) => Some(event.clone()),
            _ => None,
        };
        if let Some(event) = stays {
            self.has_ended(&event);
            return event.arrive(code);
        }
        wait_set::leave(waitable);
        match self.take(waitable) {
            // SAFETY: The operation keeps `ptr` valid until it is called or unregisters.
            Some(Member::Foreign { callback, ptr }) => unsafe { callback(ptr, code) },
            Some(Member::Own(event)) => event.arrive(code),
            None => {}
        }
    }

    /// Waits for the next event of a waitable, which may be in this task's set already.
    pub(crate) fn add(&self, waitable: u32, event: &Rc<Event>, is_member: bool) {
        if !event.pending.replace(true) {
            self.pending.set(self.pending.get().saturating_add(1));
        }
        if !is_member {
            self.join(waitable);
            let member = Member::Own(event.clone());
            self.members.borrow_mut().insert(waitable, member);
        }
    }

    /// Takes a waitable out of this task's set, if it is there. Its operation must have ended.
    pub(crate) fn remove(&self, waitable: u32) {
        if self.take(waitable).is_some() {
            wait_set::leave(waitable);
        }
    }

    /// Takes a waitable out of this task's set while its operation is pending.
    pub(crate) fn abandon(self: &Arc<Self>, waitable: u32) {
        self.stay_ready();
        self.remove(waitable);
    }

    /// Forgets a waitable that is about to join another set.
    pub(crate) fn hand_over(self: &Arc<Self>, waitable: u32) {
        self.stay_ready();
        self.take(waitable);
    }

    /// Wakes the task if it sleeps. The host may be about to deliver an event of the set to it, and wasmtime traps if the set has none by
    /// then: see docs/upstream.md.
    fn stay_ready(self: &Arc<Self>) {
        if self.state.get() == State::Sleeping {
            self.wake_by_ref();
        }
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

    /// Takes a member, whose operation is not waited for any more.
    fn take(&self, waitable: u32) -> Option<Member> {
        let member = self.members.borrow_mut().remove(waitable);
        match &member {
            Some(Member::Own(event)) => self.has_ended(event),
            Some(Member::Foreign { .. }) => self.one_less(),
            None => {}
        }
        member
    }

    fn has_ended(&self, event: &Event) {
        if event.pending.replace(false) {
            self.one_less();
        }
    }

    fn one_less(&self) {
        self.pending.set(self.pending.get().saturating_sub(1));
    }

    fn join(&self, waitable: u32) {
        let mut wait_set = self.wait_set.borrow_mut();
        wait_set.get_or_insert_with(WaitSet::take).join(waitable);
    }

    fn register(&self, waitable: u32, callback: abi::Callback, ptr: *mut c_void) -> *mut c_void {
        self.join(waitable);
        let before = self.take(waitable);
        self.pending.set(self.pending.get().saturating_add(1));
        let member = Member::Foreign { callback, ptr };
        self.members.borrow_mut().insert(waitable, member);
        before.map_or(ptr::null_mut(), |member| member.ptr())
    }

    fn unregister(self: &Arc<Self>, waitable: u32) -> *mut c_void {
        self.stay_ready();
        wait_set::leave(waitable);
        let before = self.take(waitable);
        before.map_or(ptr::null_mut(), |member| member.ptr())
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

impl Members {
    fn get(&self, waitable: u32) -> Option<&Member> {
        match &self.one {
            Some((known, one)) if *known == waitable => Some(one),
            _ => self.more.get(key(waitable)),
        }
    }

    fn insert(&mut self, waitable: u32, member: Member) {
        match &mut self.one {
            Some((known, one)) if *known == waitable => *one = member,
            None if self.more.get(key(waitable)).is_none() => self.one = Some((waitable, member)),
            _ => {
                self.more.insert(key(waitable), member);
            }
        }
    }

    fn remove(&mut self, waitable: u32) -> Option<Member> {
        match self.one.take_if(|(known, _)| *known == waitable) {
            Some((_, one)) => Some(one),
            None => self.more.remove(key(waitable)),
        }
    }

    fn waitables(&self) -> impl Iterator<Item = u32> {
        let one = self.one.iter().map(|(waitable, _)| *waitable);
        // The number of a waitable has 32 bits.
        one.chain(self.more.iter().map(|((waitable, _), _)| waitable as u32))
    }
}

fn key(waitable: u32) -> Key {
    (waitable.into(), 0)
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
    // SAFETY: By the C ABI, `task` comes from `enter` or `clone_task`, and its owner keeps it during the call.
    unsafe { borrow(task) }.register(waitable, callback, ptr)
}

unsafe extern "C" fn waitable_unregister(task: *mut c_void, waitable: u32) -> *mut c_void {
    // SAFETY: By the C ABI, `task` comes from `enter` or `clone_task`, and its owner keeps it during the call.
    unsafe { borrow(task) }.unregister(waitable)
}

unsafe extern "C" fn clone_task(task: *mut c_void) -> *mut c_void {
    // SAFETY: By the C ABI, `task` comes from `enter` or `clone_task`, and its owner keeps it during the call.
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
