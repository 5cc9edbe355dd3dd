//! Text in the string encoding `latin1+utf16`, as the canonical ABI has it in memory, for both sides of the interface `latin1`.
//!
//! Text is an address and a length in bytes, unless bit 31 of the length is set. Then it is UTF-16, because a character is above U+00FF,
//! which no byte is. Text lies at an even address.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{NonNull, null, null_mut};
use std::slice;

/// The bit of a length that says that the text is UTF-16.
const UTF16: usize = 1 << 31;

/// The alignment of text.
const ALIGNMENT: usize = 2;

/// `option<front>` in memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MaybeFront {
    /// 0 for none.
    pub is_some: u32,
    /// The address of the bytes.
    pub address: *const u8,
    /// The length of the bytes.
    pub length: usize,
    /// The field of that name.
    pub remaining: u32,
    /// The field of that name.
    pub limit: u32,
    /// The field of that name.
    pub max_result: u32,
}

impl MaybeFront {
    /// None.
    pub const NONE: Self = MaybeFront {
        is_some: 0,
        address: null(),
        length: 0,
        remaining: 0,
        limit: 0,
        max_result: 0,
    };
}

/// `written`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The case of that name.
    Drained,
    /// The case of that name.
    Queued,
    /// The case of that name.
    Refused,
}

impl Written {
    /// Returns the case that has this number.
    pub fn of(number: u32) -> Self {
        match number {
            0 => Written::Drained,
            1 => Written::Queued,
            _ => Written::Refused,
        }
    }
}

/// Returns whether bytes are text where they lie.
pub fn is_text(bytes: &[u8]) -> bool {
    bytes.is_empty() || bytes.as_ptr().addr().is_multiple_of(ALIGNMENT)
}

/// Returns the address of text for the host.
pub fn address(text: &[u8]) -> *const u8 {
    if text.is_empty() {
        null()
    } else {
        text.as_ptr()
    }
}

/// Text of its own, which does not change.
#[derive(Debug)]
pub struct Text {
    address: *mut u8,
    length: usize,
}

impl Text {
    /// Takes text from the host.
    ///
    /// # Safety
    ///
    /// The host has allocated it by `cabi_realloc` and filled it, and nothing else owns it.
    pub unsafe fn from_host(address: *mut u8, length: usize) -> Self {
        Text { address, length }
    }

    /// Returns the bytes; `None` if a character is none.
    pub fn bytes(&self) -> Option<&[u8]> {
        if self.length & UTF16 != 0 {
            return None;
        }
        match NonNull::new(self.address) {
            Some(address) if self.length > 0 => {
                // SAFETY: This much memory is this value's, and filled.
                Some(unsafe { slice::from_raw_parts(address.as_ptr(), self.length) })
            }
            _ => Some(&[]),
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
    let layout = Layout::from_size_align(size, ALIGNMENT).ok()?;
    (layout.size() > 0).then_some(layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_become_text() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for (from, to) in [(0, 0), (0, 1), (1, 1), (1, 2), (1, 256), (0, 256)] {
            let text = Text::from(&all[from..to]);
            let bytes = text.bytes().unwrap();
            assert_eq!(bytes, &all[from..to]);
            assert!(is_text(bytes));
            assert_eq!(address(bytes).is_null(), from == to);
        }
        assert_ne!(is_text(&all[..1]), is_text(&all[1..2]));
    }

    #[test]
    fn utf_16_is_no_bytes() {
        let two = Text::from(&b"\x00\x01\x02\x01"[..]);
        // SAFETY: The memory was allocated for text, and `two` is forgotten: two characters of UTF-16.
        let text = unsafe { Text::from_host(two.address, 2 | UTF16) };
        std::mem::forget(two);
        assert_eq!(text.bytes(), None);
    }
}
