//! The `words` interface: bytes as 64-bit words, which cross the boundary eight at a time.

use bytemuck::{cast_slice, cast_slice_mut};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::errors::saturate;
use crate::words::Front;

use super::reader::{Reader, size};
use super::writer::Writer;

pub(super) fn peek(reader: &Reader, skip: u32, n: u32) -> Front {
    let input = reader.0.input.borrow();
    let unread = input.peek(usize::MAX).get(size(skip)..).unwrap_or_default();
    let bytes = unread.get(..size(n)).unwrap_or(unread);
    let mut words = vec![0; bytes.len().div_ceil(size_of::<u64>())];
    if let Some(to) = cast_slice_mut(&mut words).get_mut(..bytes.len()) {
        to.copy_from_slice(bytes);
    }
    Front {
        words,
        length: saturate(bytes.len()),
        behind: saturate(unread.len().saturating_sub(bytes.len())),
        limit: saturate(input.limit()),
        max_result: saturate(input.max_result()),
    }
}

pub(super) fn write(writer: &Writer, words: &[u64], tail: &[u8]) -> Result<(), Error> {
    let words: &[u8] = cast_slice(words);
    let length = words.len().saturating_add(tail.len());
    writer.queue(length, |output| output.write([words, tail].concat()))
}
