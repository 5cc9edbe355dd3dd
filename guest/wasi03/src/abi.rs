//! Declarations of the host's functions and of wit-bindgen's C ABI for tasks.

use std::ffi::c_void;

/// Declares functions of the host or of C. A native build lacks them: it compiles, for tests, but never starts a task.
macro_rules! provided {
    ($(#[$attribute:meta])* $($name:literal $function:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        #[cfg(target_family = "wasm")]
        $(#[$attribute])*
        unsafe extern "C" {
            $(#[link_name = $name] pub(crate) fn $function($($argument: $type),*) $(-> $result)?;)*
        }
        $(
            #[cfg(not(target_family = "wasm"))]
            pub(crate) unsafe fn $function($(_: $type),*) $(-> $result)? {
                std::process::abort()
            }
        )*
    };
}

provided! {
    #[link(wasm_import_module = "$root")]
    "[context-get-0]" context_get() -> *mut c_void;
    "[context-set-0]" context_set(value: *mut c_void);
    "[waitable-set-new]" set_new() -> u32;
    "[waitable-set-drop]" set_drop(set: u32);
    "[waitable-set-poll]" set_poll(set: u32, event: *mut [u32; 2]) -> u32;
    "[waitable-join]" join(waitable: u32, set: u32);
    "[stream-new-unit]" wake_stream_new() -> u64;
    "[async-lower][stream-read-unit]" wake_stream_read(wake: u32, to: *mut u8, n: usize) -> u32;
    "[async-lower][stream-write-unit]" wake_stream_write(wake: u32, from: *const u8, n: usize) -> u32;
    "[stream-cancel-read-unit]" wake_stream_cancel_read(wake: u32) -> u32;
    "[stream-drop-readable-unit]" wake_stream_drop_readable(wake: u32);
    "[stream-drop-writable-unit]" wake_stream_drop_writable(wake: u32);
    "[subtask-cancel]" call_cancel(call: u32) -> u32;
    "[subtask-drop]" call_drop(call: u32);
}

provided! {
    #[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.3.0")]
    "[async-lower]wait-until" clock_wait_until(moment: u64) -> u32;
}

provided! {
    #[allow(improper_ctypes, reason = "one of the task's functions is for Rust only")]
    "wasip3_task_set" task_set(task: *mut Task) -> *mut Task;
}

/// The event that stands for none, and the event that cancels the call. All other events belong to a waitable.
pub(crate) const EVENT_NONE: u32 = 0;
pub(crate) const EVENT_CANCEL: u32 = 6;

/// The return codes of a task: it ends, or it yields.
pub(crate) const EXIT: u32 = 0;
pub(crate) const YIELD: u32 = 1;

/// Returns the code to wait on a set.
pub(crate) fn wait(set: u32) -> u32 {
    2 | (set << 4)
}

/// Called with the event of a waitable.
pub(crate) type Callback = unsafe extern "C" fn(*mut c_void, u32);

pub(crate) type Register =
    unsafe extern "C" fn(*mut c_void, u32, Callback, *mut c_void) -> *mut c_void;

pub(crate) type Unregister = unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void;

/// Runs a future beside a task's own.
pub(crate) type Spawn = unsafe fn(*mut c_void, Box<dyn Future<Output = ()>>);

/// wit-bindgen's `wasip3_task_v3`.
#[repr(C)]
pub(crate) struct Task {
    pub(crate) version: u32,
    pub(crate) ptr: *mut c_void,
    pub(crate) waitable_register: Register,
    pub(crate) waitable_unregister: Unregister,
    pub(crate) vtable: &'static Vtable,
}

/// The `version` that has all these fields.
pub(crate) const VERSION: u32 = 3;

/// wit-bindgen's `wasip3_task_vtable_v3`.
#[repr(C)]
pub(crate) struct Vtable {
    pub(crate) waitable_register: Register,
    pub(crate) waitable_unregister: Unregister,
    pub(crate) clone: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    pub(crate) drop: unsafe extern "C" fn(*mut c_void),
    pub(crate) rust_spawn: Option<Spawn>,
}
