//! The `latin1` interface, written by hand: its text is any bytes, of which wit-bindgen would make a `String`.
//!
//! The canonical ABI, for the string encoding `latin1+utf16`: text is an address and a length in bytes, unless bit 31 of the length is
//! set. Then it is UTF-16, because a character is above U+00FF. Text lies at an even address.

use std::alloc::{Layout, dealloc};
use std::cell::{Cell, RefCell};
use std::ptr::{NonNull, null};
use std::slice;

use asyncio_streams_engine::errors::saturate;

use super::numbers::{front, table, write};

/// The bit of a length that says that the text is UTF-16.
const UTF16: usize = 1 << 31;

/// The alignment of text.
const ALIGNMENT: usize = 2;

/// `option<front>`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Returned {
    is_some: u32,
    address: *const u8,
    length: u32,
    remaining: u32,
    limit: u32,
    max_result: u32,
}

const NONE: Returned = Returned {
    is_some: 0,
    address: null(),
    length: 0,
    remaining: 0,
    limit: 0,
    max_result: 0,
};

/// `written`.
#[repr(u32)]
enum Written {
    Drained,
    Queued,
    Refused,
}

thread_local! {
    /// The result of a call, which the host reads after it.
    static RETURNED: Cell<Returned> = const { Cell::new(NONE) };
    /// A copy of the bytes of the result, if they lie at an odd address.
    static COPY: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

#[unsafe(export_name = "asyncio:streams/latin1@0.1.0#peek")]
extern "C" fn peek(reader: u64, skip: u32, n: u32) -> *const Returned {
    let peeked = table::reader(reader).map(|reader| {
        reader.look(|buffer| {
            let front = front(buffer, skip, n);
            Returned {
                is_some: 1,
                // No other code runs before the host has read it.
                address: lend(front.bytes),
                length: saturate(front.bytes.len()),
                remaining: saturate(front.remaining),
                limit: saturate(buffer.limit()),
                max_result: saturate(buffer.max_result()),
            }
        })
    });
    returned(peeked.unwrap_or(NONE))
}

#[unsafe(export_name = "asyncio:streams/latin1@0.1.0#write")]
extern "C" fn write_text(writer: u64, address: *mut u8, length: usize) -> Written {
    let text = Text { address, length };
    match text.bytes().map(|bytes| write(writer, bytes.to_vec())) {
        Some(Ok(true)) => Written::Drained,
        Some(Ok(false)) => Written::Queued,
        Some(Err(_)) | None => Written::Refused,
    }
}

#[unsafe(export_name = "cabi_post_asyncio:streams/latin1@0.1.0#peek")]
extern "C" fn after_peek(_: *const Returned) {
    COPY.take();
}

fn returned(result: Returned) -> *const Returned {
    RETURNED.with(|returned| {
        returned.set(result);
        returned.as_ptr().cast_const()
    })
}

/// Returns the address of these bytes, or of a copy at an even address.
fn lend(bytes: &[u8]) -> *const u8 {
    if bytes.is_empty() {
        return null();
    }
    if bytes.as_ptr().addr().is_multiple_of(ALIGNMENT) {
        return bytes.as_ptr();
    }
    let mut copy = vec![0_u16; bytes.len().div_ceil(ALIGNMENT)];
    if let Some(to) = bytemuck::cast_slice_mut(&mut copy).get_mut(..bytes.len()) {
        to.copy_from_slice(bytes);
    }
    COPY.with_borrow_mut(|held| {
        *held = copy;
        held.as_ptr().cast()
    })
}

/// Text that the host has put into memory for a call.
struct Text {
    address: *mut u8,
    length: usize,
}

impl Text {
    /// Returns the bytes; `None` if a character is none.
    fn bytes(&self) -> Option<&[u8]> {
        match (self.length, NonNull::new(self.address)) {
            (0, _) => Some(&[]),
            (length, _) if length & UTF16 != 0 => None,
            // SAFETY: The host has filled this much memory, and passed it to this call alone.
            (length, Some(address)) => {
                Some(unsafe { slice::from_raw_parts(address.as_ptr(), length) })
            }
            (_, None) => None,
        }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let size = match self.length & UTF16 {
            0 => self.length,
            _ => (self.length ^ UTF16).saturating_mul(2),
        };
        if size == 0 {
            return;
        }
        if let Ok(layout) = Layout::from_size_align(size, ALIGNMENT) {
            // SAFETY: The host has allocated it by `cabi_realloc`, with this size and alignment.
            unsafe { dealloc(self.address, layout) };
        }
    }
}
