//! The ends of futures for generated code, and the wait for a future's value.

use std::alloc::Layout;
use std::future::poll_fn;

use crate::background;
use crate::operation::Operation;
use crate::readable::Readable;
use crate::stream::{Block, Progress};

/// The host's functions for the futures of one type, from generated code.
#[doc(hidden)]
pub struct FutureVtable<T> {
    pub layout: Layout,
    pub lower: unsafe fn(value: T, to: *mut u8),
    pub dealloc_lists: unsafe fn(at: *mut u8),
    pub lift: unsafe fn(from: *mut u8) -> T,
    pub start_write: unsafe extern "C" fn(future: u32, from: *const u8) -> u32,
    pub start_read: unsafe extern "C" fn(future: u32, to: *mut u8) -> u32,
    pub cancel_write: unsafe extern "C" fn(future: u32) -> u32,
    pub cancel_read: unsafe extern "C" fn(future: u32) -> u32,
    pub drop_writable: unsafe extern "C" fn(future: u32),
    pub drop_readable: unsafe extern "C" fn(future: u32),
    pub new: unsafe extern "C" fn() -> u64,
}

/// The reading end of a future. A background task waits for its value.
pub struct FutureReader<T: 'static> {
    pub(crate) handle: Readable,
    pub(crate) layout: Layout,
    pub(crate) lift: unsafe fn(from: *mut u8) -> T,
    pub(crate) start_read: unsafe extern "C" fn(future: u32, to: *mut u8) -> u32,
    pub(crate) cancel_read: unsafe extern "C" fn(future: u32) -> u32,
}

impl<T: 'static> FutureReader<T> {
    #[doc(hidden)]
    pub fn new(handle: u32, vtable: &'static FutureVtable<T>) -> Self {
        FutureReader {
            handle: Readable::new(handle, vtable.drop_readable),
            layout: vtable.layout,
            lift: vtable.lift,
            start_read: vtable.start_read,
            cancel_read: vtable.cancel_read,
        }
    }

    #[doc(hidden)]
    pub fn take_handle(&self) -> u32 {
        self.handle.hand_on()
    }
}

/// The writing end of a future. It is written once: with a value, or with the default when it is dropped.
pub struct FutureWriter<T: 'static> {
    handle: u32,
    default: Option<fn() -> T>,
    layout: Layout,
    lower: unsafe fn(value: T, to: *mut u8),
    dealloc_lists: unsafe fn(at: *mut u8),
    start_write: unsafe extern "C" fn(future: u32, from: *const u8) -> u32,
    drop_writable: unsafe extern "C" fn(future: u32),
}

#[doc(hidden)]
pub unsafe fn future_new<T>(
    default: fn() -> T,
    vtable: &'static FutureVtable<T>,
) -> (FutureWriter<T>, FutureReader<T>) {
    // SAFETY: A call of the host without arguments.
    let ends = unsafe { (vtable.new)() };
    let writer = FutureWriter {
        handle: (ends >> 32) as u32,
        default: Some(default),
        layout: vtable.layout,
        lower: vtable.lower,
        dealloc_lists: vtable.dealloc_lists,
        start_write: vtable.start_write,
        drop_writable: vtable.drop_writable,
    };
    (writer, FutureReader::new(ends as u32, vtable))
}

impl<T: 'static> FutureWriter<T> {
    /// Writes `value`, then runs `then`. The value waits in the background until it is read, or until the reading end
    /// is dropped. The caller keeps the driver running meanwhile.
    pub fn send_then(mut self, value: T, then: impl FnOnce() + 'static) {
        self.default = None;
        self.write(value, then);
    }

    fn write(&self, value: T, then: impl FnOnce() + 'static) {
        let block = Block::new(self.layout, 1);
        // SAFETY: There is room for one value, and it does not move until the operation has ended.
        let code = unsafe {
            (self.lower)(value, block.at());
            (self.start_write)(self.handle, block.at())
        };
        let (lists, end) = (self.dealloc_lists, self.drop_writable);
        let handle = self.handle;
        let done = move |block: Block| {
            // SAFETY: The host has copied the value or never will, and no operation is pending.
            unsafe {
                lists(block.at());
                end(handle);
            }
            then();
        };
        if Progress::of(code) != Progress::Blocked {
            return done(block);
        }
        let mut operation = Operation::new(handle);
        background::spawn(async move {
            poll_fn(|cx| operation.poll(cx)).await;
            drop(operation);
            done(block);
        });
    }
}

impl<T: 'static> Drop for FutureWriter<T> {
    fn drop(&mut self) {
        if let Some(default) = self.default.take() {
            self.write(default(), || ());
        }
    }
}
