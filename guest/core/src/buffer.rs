//! The bytes that have arrived and were not yet read.

use crate::cost::spent;
use alloc::vec::Vec;
use bytes::{Buf, Bytes, BytesMut};
use core::mem;

/// An empty buffer keeps at most this many bytes allocated: thousands of idle connections must not each keep the
/// largest burst they have seen. It is enough for the next request to arrive without an allocation.
const KEEP: usize = 4096;

/// A queue of bytes that knows the size of its allocation, so that it can free a large one.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: BytesMut,
    /// The size of the allocation, or at least half of it: `BytesMut` does not count the memory before its front.
    allocated: usize,
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn extend(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        self.allocated = self.allocated.max(self.bytes.capacity());
    }

    /// Like `extend`, without a copy if the buffer is empty and `data` fills half of its allocation or more.
    pub(crate) fn extend_owned(&mut self, data: Vec<u8>) {
        if self.bytes.is_empty() && mostly_full(data.len(), data.capacity()) {
            match Bytes::from(data).try_into_mut() {
                Ok(bytes) => {
                    self.allocated = bytes.capacity();
                    self.bytes = bytes;
                }
                // Happens only if the bytes are shared, which is impossible here.
                Err(shared) => self.extend(&shared),
            }
        } else {
            self.extend(&data);
        }
    }

    /// Removes and returns up to `n` bytes of the front.
    pub(crate) fn take(&mut self, n: usize) -> Vec<u8> {
        if n >= self.bytes.len() {
            return self.take_all();
        }
        let taken = self.bytes.get(..n).unwrap_or_default().to_vec();
        self.drop_front(n);
        taken
    }

    /// Removes and returns everything. Passes the allocation on unless it is much larger than its content; then a copy
    /// is cheaper to keep.
    pub(crate) fn take_all(&mut self) -> Vec<u8> {
        if mostly_full(self.bytes.len(), self.allocated) {
            self.allocated = 0;
            return Vec::from(mem::take(&mut self.bytes));
        }
        let taken = self.bytes.to_vec();
        self.drop_front(taken.len());
        taken
    }

    /// Removes up to `n` bytes of the front.
    pub(crate) fn drop_front(&mut self, n: usize) {
        self.bytes.advance(n.min(self.bytes.len()));
        // At an eighth, fewer bytes are moved than were read since the allocation was made: moving is free on average.
        if self.allocated > KEEP && self.bytes.len() <= self.allocated / 8 {
            spent(self.bytes.len());
            self.bytes = if self.bytes.is_empty() {
                BytesMut::new()
            } else {
                BytesMut::from(&*self.bytes)
            };
            self.allocated = self.bytes.capacity();
        } else if self.bytes.is_empty() {
            self.bytes.clear();
        }
    }
}

fn mostly_full(len: usize, allocated: usize) -> bool {
    len >= allocated.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn an_allocation_is_taken_over_and_passed_on() {
        let data = vec![7; 10_000];
        let address = data.as_ptr();
        let mut buffer = Buffer::default();
        buffer.extend_owned(data);
        assert_eq!(buffer.as_slice().as_ptr(), address);
        let taken = buffer.take_all();
        assert_eq!((taken.as_ptr(), taken.len()), (address, 10_000));
        assert_eq!(buffer.allocated, 0);
    }

    #[test]
    fn few_bytes_in_a_large_allocation_are_copied() {
        let mut data = Vec::with_capacity(65_536);
        data.extend_from_slice(b"ping\n");
        let mut buffer = Buffer::default();
        buffer.extend_owned(data);
        assert!(buffer.allocated <= KEEP);
        buffer.extend(&[0; 2000]);
        assert!(buffer.take(5).capacity() < 64);
    }

    #[test]
    fn appends_an_allocation_when_there_are_bytes_already() {
        let mut buffer = Buffer::default();
        buffer.extend(b"ab");
        buffer.extend_owned(b"cd".to_vec());
        assert_eq!(buffer.as_slice(), b"abcd");
    }

    #[test]
    fn a_drained_buffer_frees_a_large_allocation() {
        let mut buffer = Buffer::default();
        buffer.extend(&vec![1; 1 << 20]);
        buffer.drop_front(1 << 20);
        assert_eq!((buffer.allocated, buffer.bytes.capacity()), (0, 0));
    }

    #[test]
    fn a_small_rest_does_not_keep_a_large_allocation() {
        let mut buffer = Buffer::default();
        for _ in 0..64 {
            buffer.extend(&[1; 16 * 1024]);
        }
        for _ in 0..63 {
            buffer.drop_front(16 * 1024);
        }
        buffer.drop_front(16 * 1024 - 10);
        assert_eq!(buffer.as_slice(), &[1; 10]);
        assert!(buffer.allocated <= KEEP, "{}", buffer.allocated);
    }

    #[test]
    fn an_idle_buffer_keeps_a_small_allocation() {
        let mut buffer = Buffer::default();
        buffer.extend(&[1; 600]);
        buffer.drop_front(600);
        let kept = buffer.allocated;
        assert!((600..=KEEP).contains(&kept));
        buffer.extend(&[2; 600]);
        assert_eq!(buffer.allocated, kept);
    }
}
