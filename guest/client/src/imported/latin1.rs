//! The interface `latin1`, imported by hand: its text is any bytes, of which wit-bindgen would make a `String`.

use asyncio_streams_face::latin1::{MaybeFront, address, is_text};

pub(crate) use asyncio_streams_face::latin1::Text;
pub(super) use asyncio_streams_face::latin1::Written;

/// Describes the import to the linker. A test of `asyncio-streams-bindgen` makes it from the WIT package.
#[cfg(target_arch = "wasm32")]
#[used]
#[unsafe(link_section = "component-type:asyncio-streams:latin1")]
static SECTION: [u8; include_bytes!("latin1.component-type").len()] =
    *include_bytes!("latin1.component-type");

/// `front`: a copy of bytes from the front of a reader's buffer.
pub(super) struct Front {
    pub(super) bytes: Text,
    pub(super) remaining: u32,
    pub(super) limit: u32,
    pub(super) max_result: u32,
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "asyncio:streams/latin1@0.1.0")]
unsafe extern "C" {
    #[link_name = "peek"]
    fn raw_peek(reader: u64, skip: u32, n: u32, returned: *mut MaybeFront);
    #[link_name = "write"]
    fn raw_write(writer: u64, address: *const u8, length: usize) -> u32;
}

/// Leaves the result none: only components have imports.
#[cfg(not(target_arch = "wasm32"))]
unsafe extern "C" fn raw_peek(_: u64, _: u32, _: u32, _: *mut MaybeFront) {}

/// Refuses the bytes: only components have imports.
#[cfg(not(target_arch = "wasm32"))]
unsafe extern "C" fn raw_write(_: u64, _: *const u8, _: usize) -> u32 {
    Written::Refused as u32
}

/// `numbers.peek`; `None` if it fails.
// The linker takes the section with this function.
#[inline(never)]
pub(super) fn peek(reader: u64, skip: u32, n: u32) -> Option<Front> {
    let mut returned = MaybeFront::NONE;
    // SAFETY: The host writes a value of this type.
    unsafe { raw_peek(reader, skip, n, &raw mut returned) };
    if returned.is_some == 0 {
        return None;
    }
    // SAFETY: The host has made it for this call.
    let bytes = unsafe { Text::from_host(returned.address.cast_mut(), returned.length) };
    let front = Front {
        bytes,
        remaining: returned.remaining,
        limit: returned.limit,
        max_result: returned.max_result,
    };
    // Only a component that is not of this project could return other text.
    front.bytes.bytes().is_some().then_some(front)
}

/// Queues bytes as `numbers.write` does.
// The linker takes the section with this function.
#[inline(never)]
pub(super) fn write(writer: u64, data: &[u8]) -> Written {
    let copy = (!is_text(data)).then(|| Text::from(data));
    let text = copy.as_ref().and_then(Text::bytes).unwrap_or(data);
    // SAFETY: The host reads this text during the call.
    Written::of(unsafe { raw_write(writer, address(text), text.len()) })
}
