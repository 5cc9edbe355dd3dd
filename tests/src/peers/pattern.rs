//! Bytes that depend on their position, so that lost, repeated or swapped bytes are noticed.

/// The first `n` bytes of the pattern. The guest programs have the same one.
pub fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(byte).collect()
}

/// Compares bytes with the pattern as they arrive.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    position: usize,
}

impl Pattern {
    /// Continues after `position` bytes.
    pub fn at(position: usize) -> Self {
        Self { position }
    }

    /// The number of bytes that were right so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Compares the next bytes.
    ///
    /// # Panics
    /// At the first wrong byte.
    #[track_caller]
    pub fn check(&mut self, bytes: &[u8]) {
        for found in bytes {
            let expected = byte(self.position);
            assert_eq!(
                *found, expected,
                "the byte at position {} of the pattern",
                self.position
            );
            self.position += 1;
        }
    }

    /// The next `n` bytes.
    pub fn next(&mut self, n: usize) -> Vec<u8> {
        let bytes = (self.position..self.position + n).map(byte).collect();
        self.position += n;
        bytes
    }
}

/// The top byte of a multiplicative hash: it has no period in common with a block's size. Only the lowest 32 bits
/// matter, so that 32-bit guests compute the same bytes.
fn byte(position: usize) -> u8 {
    let [.., top] = (position as u32).wrapping_mul(2_654_435_761).to_le_bytes();
    top
}
