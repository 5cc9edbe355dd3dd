//! The ends of streams for generated code.
//!
//! They replace wit-bindgen's: an end holds the host's functions that its type needs.

use std::alloc::Layout;
use std::mem;

use crate::readable::Readable;

/// The host's functions for the streams of one type, from generated code.
#[doc(hidden)]
pub struct StreamVtable<T> {
    pub layout: Layout,
    pub lower: Option<unsafe fn(value: T, to: *mut u8)>,
    pub dealloc_lists: Option<unsafe fn(at: *mut u8)>,
    pub lift: Option<unsafe fn(from: *mut u8) -> T>,
    pub start_write: unsafe extern "C" fn(stream: u32, from: *const u8, n: usize) -> u32,
    pub start_read: unsafe extern "C" fn(stream: u32, to: *mut u8, n: usize) -> u32,
    pub cancel_write: unsafe extern "C" fn(stream: u32) -> u32,
    pub cancel_read: unsafe extern "C" fn(stream: u32) -> u32,
    pub drop_writable: unsafe extern "C" fn(stream: u32),
    pub drop_readable: unsafe extern "C" fn(stream: u32),
    pub new: unsafe extern "C" fn() -> u64,
}

/// The reading end of a stream. A [`Source`](crate::Source) reads from it.
pub struct StreamReader<T: 'static> {
    handle: Readable,
    pub(crate) layout: Layout,
    pub(crate) lift: Option<unsafe fn(from: *mut u8) -> T>,
    pub(crate) start_read: unsafe extern "C" fn(stream: u32, to: *mut u8, n: usize) -> u32,
    pub(crate) cancel_read: unsafe extern "C" fn(stream: u32) -> u32,
}

impl<T: 'static> StreamReader<T> {
    #[doc(hidden)]
    pub fn new(handle: u32, vtable: &'static StreamVtable<T>) -> Self {
        StreamReader {
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

    pub(crate) fn handle(&self) -> u32 {
        self.handle.get()
    }
}

impl<T: 'static> StreamReader<T> {
    /// Takes over the reading end of bindings with wit-bindgen's runtime. No operation may be pending on it.
    pub fn adopt(
        stream: &wit_bindgen::StreamReader<T>,
        vtable: &'static wit_bindgen::rt::async_support::StreamVtable<T>,
    ) -> Self {
        StreamReader {
            handle: Readable::new(stream.take_handle(), vtable.drop_readable),
            layout: vtable.layout,
            lift: vtable.lift,
            start_read: vtable.start_read,
            cancel_read: vtable.cancel_read,
        }
    }
}

/// The writing end of a stream. A [`Sink`](crate::Sink) writes to it.
pub struct StreamWriter<T: 'static> {
    handle: u32,
    pub(crate) start_write: unsafe extern "C" fn(stream: u32, from: *const u8, n: usize) -> u32,
    pub(crate) cancel_write: unsafe extern "C" fn(stream: u32) -> u32,
    drop_writable: unsafe extern "C" fn(stream: u32),
    _of: std::marker::PhantomData<T>,
}

impl<T: 'static> StreamWriter<T> {
    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }
}

impl<T: 'static> Drop for StreamWriter<T> {
    fn drop(&mut self) {
        // SAFETY: The handle belongs to this end, and no operation is pending on it.
        unsafe { (self.drop_writable)(self.handle) };
    }
}

#[doc(hidden)]
pub unsafe fn stream_new<T>(
    vtable: &'static StreamVtable<T>,
) -> (StreamWriter<T>, StreamReader<T>) {
    // SAFETY: A call of the host without arguments.
    let ends = unsafe { (vtable.new)() };
    let writer = StreamWriter {
        handle: (ends >> 32) as u32,
        start_write: vtable.start_write,
        cancel_write: vtable.cancel_write,
        drop_writable: vtable.drop_writable,
        _of: std::marker::PhantomData,
    };
    (writer, StreamReader::new(ends as u32, vtable))
}

/// The state of an operation on a stream, from the host's code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The operation is pending.
    Blocked,
    /// The number of copied items, and whether the other end is gone.
    Copied { items: usize, ended: bool },
}

impl Progress {
    pub(crate) fn of(code: u32) -> Self {
        /// The other end is gone (Component Model, `CopyResult.DROPPED`).
        const DROPPED: u32 = 1;
        if code == crate::operation::BLOCKED {
            return Progress::Blocked;
        }
        Progress::Copied {
            items: (code >> 4) as usize,
            ended: code & 0xf == DROPPED,
        }
    }
}

/// The most items that one operation copies (Component Model, `Buffer.MAX_LENGTH`).
pub(crate) const MAX_LENGTH: usize = (1 << 28) - 1;

/// Memory that the host writes values of a type to, before they are lifted.
pub(crate) struct Block {
    at: *mut u8,
    layout: Layout,
}

impl Block {
    /// Allocates room for `n` values of `layout`.
    pub(crate) fn new(layout: Layout, n: usize) -> Self {
        let size = layout.size().saturating_mul(n);
        let layout = Layout::from_size_align(size, layout.align()).unwrap_or(layout);
        if layout.size() == 0 {
            return Block {
                at: std::ptr::null_mut(),
                layout,
            };
        }
        // SAFETY: The size is not zero.
        let at = unsafe { std::alloc::alloc(layout) };
        if at.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        Block { at, layout }
    }

    pub(crate) fn at(&self) -> *mut u8 {
        self.at
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if !self.at.is_null() {
            // SAFETY: It was allocated with this layout.
            unsafe {
                std::alloc::dealloc(
                    mem::replace(&mut self.at, std::ptr::null_mut()),
                    self.layout,
                )
            };
        }
    }
}
