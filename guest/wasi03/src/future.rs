//! The ends of futures for generated code, and the wait for a future's value.

use std::alloc::Layout;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::background;
use crate::blocking::block;
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

/// The reading end of a future. An [`Answer`] waits for its value.
pub struct FutureReader<T: 'static> {
    handle: Readable,
    layout: Layout,
    lift: unsafe fn(from: *mut u8) -> T,
    start_read: unsafe extern "C" fn(future: u32, to: *mut u8) -> u32,
    cancel_read: unsafe extern "C" fn(future: u32) -> u32,
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

/// Waits for the value of a future.
pub struct Answer<T: 'static> {
    /// `None` once the value was returned, or the drop has taken it.
    end: Option<End<T>>,
}

struct End<T: 'static> {
    operation: Operation,
    reader: FutureReader<T>,
    /// The memory that the host writes the value to.
    pending: Option<Block>,
}

impl<T: 'static> Answer<T> {
    /// Creates the wait for the value of `reader`.
    pub fn new(reader: FutureReader<T>) -> Self {
        Answer {
            end: Some(End {
                operation: Operation::new(reader.handle.get()),
                reader,
                pending: None,
            }),
        }
    }

    /// Polls for the value; `None` if it was returned before. When the caller stops polling, it calls
    /// [`Answer::leave`]; the read stays pending.
    pub fn poll_get(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        let Some(end) = self.end.as_mut() else {
            return Poll::Ready(None);
        };
        let mut ended = end.pending.is_none() && end.start() != Progress::Blocked;
        while !ended {
            ended = Progress::of(ready!(end.operation.poll(cx))) != Progress::Blocked;
        }
        let value = end.finish();
        self.end = None;
        Poll::Ready(value)
    }

    /// Takes the pending read out of the task's set: no task waits for it any more.
    pub fn leave(&mut self) {
        if let Some(end) = self.end.as_mut() {
            end.operation.leave();
        }
    }
}

impl<T: 'static> End<T> {
    fn start(&mut self) -> Progress {
        let block = Block::new(self.reader.layout, 1);
        // SAFETY: There is room for one value, and it does not move until the operation has ended.
        let code = unsafe { (self.reader.start_read)(self.reader.handle.get(), block.at()) };
        self.pending = Some(block);
        Progress::of(code)
    }

    /// Returns the value that has arrived.
    fn finish(&mut self) -> Option<T> {
        let block = self.pending.take()?;
        // SAFETY: The host has written the value.
        Some(unsafe { (self.reader.lift)(block.at()) })
    }
}

impl<T: 'static> Drop for Answer<T> {
    fn drop(&mut self) {
        let Some(mut end) = self.end.take() else {
            return;
        };
        if end.pending.is_none() {
            return;
        }
        if let Some(code) = end.operation.take_arrived() {
            return end.discard(code);
        }
        background::reap(Box::pin(async move {
            let (cancel, handle) = (end.reader.cancel_read, end.reader.handle.get());
            // SAFETY: A read is pending, its waitable's event was not delivered, and it is in no set.
            let code = block(|| unsafe { cancel(handle) });
            end.discard(code);
        }));
    }
}

impl<T: 'static> End<T> {
    /// Drops the value, if it has arrived.
    fn discard(&mut self, code: u32) {
        /// The value was copied (Component Model, `CopyResult.COMPLETED`).
        const COMPLETED: u32 = 0;
        if code & 0xf == COMPLETED {
            drop(self.finish());
        }
    }
}
