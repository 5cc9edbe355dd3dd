//! The `latin1` interface, written by hand: its text is any bytes, of which wit-bindgen would make a `String`.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_face::latin1::{MaybeFront, Text, Written, address, is_text};

use super::numbers::{front, table, write};

thread_local! {
    /// The result of `peek`, which the host reads after the call.
    static RETURNED: Cell<MaybeFront> = const { Cell::new(MaybeFront::NONE) };
    /// A copy of its bytes, if they are no text where they lie.
    static COPY: RefCell<Option<Text>> = const { RefCell::new(None) };
}

#[unsafe(export_name = "asyncio:streams/latin1@0.1.0#peek")]
extern "C" fn peek(reader: u64, skip: u32, n: u32) -> *const MaybeFront {
    let peeked = table::reader(reader).map(|reader| {
        reader.look(|buffer| {
            let part = front(buffer, skip, n);
            MaybeFront {
                is_some: 1,
                // No other code runs before the host has read it.
                address: lend(part.bytes),
                length: part.bytes.len(),
                remaining: saturate(part.remaining),
                limit: saturate(buffer.limit()),
                max_result: saturate(buffer.max_result()),
            }
        })
    });
    RETURNED.with(|returned| {
        returned.set(peeked.unwrap_or(MaybeFront::NONE));
        returned.as_ptr().cast_const()
    })
}

#[unsafe(export_name = "cabi_post_asyncio:streams/latin1@0.1.0#peek")]
extern "C" fn after_peek(_: *const MaybeFront) {
    COPY.take();
}

#[unsafe(export_name = "asyncio:streams/latin1@0.1.0#write")]
extern "C" fn write_text(writer: u64, address: *mut u8, length: usize) -> Written {
    // SAFETY: The host passes it to this call alone.
    let text = unsafe { Text::from_host(address, length) };
    let queued = text
        .bytes()
        .map(|bytes| write(writer, Cow::Borrowed(bytes)));
    match queued {
        Some(Ok(true)) => Written::Drained,
        Some(Ok(false)) => Written::Queued,
        Some(Err(_)) | None => Written::Refused,
    }
}

/// Returns the address of these bytes as text, or of a copy.
fn lend(bytes: &[u8]) -> *const u8 {
    if is_text(bytes) {
        return address(bytes);
    }
    COPY.with_borrow_mut(|copy| {
        let copy = copy.insert(Text::from(bytes));
        copy.bytes().map_or(address(&[]), address)
    })
}
