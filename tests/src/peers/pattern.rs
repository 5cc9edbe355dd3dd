//! Bytes that tell where they belong: what is lost, doubled or swapped shows.

/// The first `n` bytes of the pattern. The guest programs have the same one.
pub fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(byte).collect()
}

/// Compares bytes with the pattern as they come.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    position: usize,
}

impl Pattern {
    /// Goes on after `position` bytes.
    pub fn at(position: usize) -> Self {
        Self { position }
    }

    /// How many bytes were right so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Compares the next bytes.
    ///
    /// # Panics
    /// At the first that is wrong.
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

/// The top of a multiplicative hash: no period that a block's size could share. Only its lowest 32 bits count, so a
/// guest, whose words are shorter, has the same bytes.
fn byte(position: usize) -> u8 {
    let [.., top] = (position as u32).wrapping_mul(2_654_435_761).to_le_bytes();
    top
}
