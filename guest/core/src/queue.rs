//! The bytes that were written and are not yet in flight.

use crate::defaults::COALESCE;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Bytes in order, as pieces; each piece is sent as one write.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Queue {
    /// Returns how many bytes are queued.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Appends `data` to the last piece if the result stays within [`COALESCE`]; otherwise adds it as a new piece,
    /// without a copy.
    pub(crate) fn push(&mut self, data: Vec<u8>) {
        if data.is_empty() {
            return;
        }
        if !self.extend(&data) {
            self.bytes = self.bytes.saturating_add(data.len());
            self.pieces.push_back(data);
        }
    }

    /// Appends a copy of `data` as `push` would.
    pub(crate) fn push_copy(&mut self, data: &[u8]) {
        if !self.extend(data) {
            self.push(data.to_vec());
        }
    }

    /// Appends `data` to the last piece, if both fit one piece.
    fn extend(&mut self, data: &[u8]) -> bool {
        match self.pieces.back_mut() {
            // A vector grows by doubling: each byte is copied once, and on average once more.
            Some(last) if last.len().saturating_add(data.len()) <= COALESCE => {
                last.extend_from_slice(data);
                self.bytes = self.bytes.saturating_add(data.len());
                true
            }
            _ => false,
        }
    }

    /// Removes the first piece.
    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        let piece = self.pieces.pop_front()?;
        self.bytes = self.bytes.saturating_sub(piece.len());
        Some(piece)
    }

    /// Drops everything, allocations included.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn the_first_write_is_not_copied() {
        let data = vec![1; 100];
        let address = data.as_ptr();
        let mut queue = Queue::default();
        queue.push(data);
        let piece = queue.pop().unwrap();
        assert_eq!(piece.as_ptr(), address);
        assert_eq!((queue.len(), queue.pop()), (0, None));
    }

    #[test]
    fn small_writes_are_sent_as_one() {
        let mut queue = Queue::default();
        for piece in [&b"GET "[..], b"", b"/ ", b"HTTP/1.1\r\n"] {
            queue.push(piece.to_vec());
        }
        assert_eq!(queue.pop().unwrap(), b"GET / HTTP/1.1\r\n");
    }

    #[test]
    fn copies_are_queued_as_other_writes_are() {
        let mut queue = Queue::default();
        for length in [0, 1, 100, COALESCE, COALESCE + 1, 3] {
            queue.push_copy(&vec![7; length]);
        }
        assert_eq!(queue.len(), 2 * COALESCE + 105);
        let lengths: Vec<usize> = core::iter::from_fn(|| queue.pop())
            .map(|piece| piece.len())
            .collect();
        assert_eq!(lengths, [101, COALESCE, COALESCE + 1, 3]);
    }

    #[test]
    fn a_piece_stays_within_its_bound_unless_one_write_is_larger() {
        let mut queue = Queue::default();
        queue.push(vec![0; 1]);
        queue.push(vec![1; COALESCE - 1]);
        queue.push(vec![2; 1]);
        queue.push(vec![3; 3 * COALESCE]);
        assert_eq!(queue.len(), 4 * COALESCE + 1);
        let lengths: Vec<usize> = core::iter::from_fn(|| queue.pop())
            .map(|piece| piece.len())
            .collect();
        assert_eq!(lengths, [COALESCE, 1, 3 * COALESCE]);
    }

    #[test]
    fn a_million_small_writes_become_a_few_pieces() {
        let mut queue = Queue::default();
        (0..1_500_000).for_each(|_| queue.push(vec![0; 1]));
        assert_eq!((queue.len(), queue.pieces.len()), (1_500_000, 2));
    }
}
