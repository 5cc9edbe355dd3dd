//! The interface `latin1`, imported by hand: its text is any bytes, of which wit-bindgen would make a `String`.
//!
//! The canonical ABI, for the string encoding `latin1+utf16`: text is an address and a length in bytes, unless bit 31 of the length is
//! set. Then it is UTF-16, because a character is above U+00FF, which no byte is. Text lies at an even address.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{NonNull, null_mut};
use std::slice;

/// Describes the import to the linker. A test of `asyncio-streams-bindgen` makes it from the WIT package.
#[cfg(target_arch = "wasm32")]
#[used]
#[unsafe(link_section = "component-type:asyncio-streams:latin1")]
static SECTION: [u8; include_bytes!("latin1.component-type").len()] =
    *include_bytes!("latin1.component-type");

/// The bit of a length that says that the text is UTF-16.
const UTF16: usize = 1 << 31;

/// The alignment of text.
const ALIGNMENT: usize = 2;

/// `front`: a copy of bytes from the front of a reader's buffer.
pub(super) struct Front {
    pub(super) bytes: Text,
    pub(super) remaining: u32,
    pub(super) limit: u32,
    pub(super) max_result: u32,
}

/// `written`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Drained,
    Queued,
    Refused,
}

/// `option<front>`.
#[repr(C)]
struct Returned {
    is_some: u32,
    address: *mut u8,
    length: usize,
    remaining: u32,
    limit: u32,
    max_result: u32,
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "asyncio:streams/latin1@0.1.0")]
unsafe extern "C" {
    #[link_name = "peek"]
    fn raw_peek(reader: u64, skip: u32, n: u32, returned: *mut Returned);
    #[link_name = "write"]
    safe fn raw_write(writer: u64, address: *const u8, length: usize) -> u32;
}

#[cfg(not(target_arch = "wasm32"))]
unsafe extern "C" fn raw_peek(_: u64, _: u32, _: u32, _: *mut Returned) {
    unreachable!("only components have imports")
}

#[cfg(not(target_arch = "wasm32"))]
extern "C" fn raw_write(_: u64, _: *const u8, _: usize) -> u32 {
    unreachable!("only components have imports")
}

/// `numbers.peek`; `None` if it fails.
// The linker takes the section with this function.
#[inline(never)]
pub(super) fn peek(reader: u64, skip: u32, n: u32) -> Option<Front> {
    let mut returned = Returned {
        is_some: 0,
        address: null_mut(),
        length: 0,
        remaining: 0,
        limit: 0,
        max_result: 0,
    };
    // SAFETY: The host writes a value of this type.
    unsafe { raw_peek(reader, skip, n, &raw mut returned) };
    if returned.is_some == 0 {
        return None;
    }
    let bytes = Text {
        address: returned.address,
        length: returned.length,
    };
    (bytes.length & UTF16 == 0).then_some(Front {
        bytes,
        remaining: returned.remaining,
        limit: returned.limit,
        max_result: returned.max_result,
    })
}

/// Queues bytes as `numbers.write` does.
// The linker takes the section with this function.
#[inline(never)]
pub(super) fn write(writer: u64, data: &[u8]) -> Written {
    let copy: Text;
    let text = if data.as_ptr().addr().is_multiple_of(ALIGNMENT) {
        data
    } else {
        copy = Text::from(data);
        copy.bytes()
    };
    let address = if text.is_empty() {
        null_mut()
    } else {
        text.as_ptr()
    };
    match raw_write(writer, address, text.len()) {
        0 => Written::Drained,
        1 => Written::Queued,
        _ => Written::Refused,
    }
}

/// Bytes at an even address. They do not change any more, so that a line can be lent while the reader goes on.
pub(crate) struct Text {
    address: *mut u8,
    length: usize,
}

impl Text {
    pub(crate) fn bytes(&self) -> &[u8] {
        match NonNull::new(self.address) {
            Some(address) if self.length > 0 && self.length & UTF16 == 0 => {
                // SAFETY: This much memory is this value's, and filled.
                unsafe { slice::from_raw_parts(address.as_ptr(), self.length) }
            }
            _ => &[],
        }
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        let length = bytes.len();
        let Some(layout) = layout(length) else {
            return Text {
                address: null_mut(),
                length: 0,
            };
        };
        // SAFETY: The size is not 0.
        let address = unsafe { alloc(layout) };
        if address.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: The new memory has this size.
        unsafe { address.copy_from_nonoverlapping(bytes.as_ptr(), length) };
        Text { address, length }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let size = match self.length & UTF16 {
            0 => self.length,
            _ => (self.length ^ UTF16).saturating_mul(2),
        };
        if let Some(layout) = layout(size) {
            // SAFETY: It was allocated with this size and alignment: by `from`, or by the host through `cabi_realloc`.
            unsafe { dealloc(self.address, layout) };
        }
    }
}

/// Returns the layout of text; `None` if it takes no memory.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size, ALIGNMENT)
        .ok()
        .filter(|layout| layout.size() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_lie_at_an_even_address() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for (from, to) in [(0, 0), (0, 1), (1, 2), (1, 256), (0, 256)] {
            let text = Text::from(&all[from..to]);
            assert_eq!(text.bytes(), &all[from..to]);
            assert!(text.bytes().is_empty() || text.bytes().as_ptr().addr().is_multiple_of(2));
        }
    }
}
