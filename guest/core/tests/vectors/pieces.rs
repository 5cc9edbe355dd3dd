//! Cuts the bytes of one `feed` into pieces.

/// A way to cut bytes.
pub(crate) enum Pieces {
    /// Not at all.
    Whole,
    /// After every byte.
    Bytes,
    /// At random.
    Random(Box<fastrand::Rng>),
}

impl Pieces {
    /// Cuts at random, always in the same way for the same `seed`.
    pub(crate) fn random(seed: u64) -> Self {
        Self::Random(Box::new(fastrand::Rng::with_seed(seed)))
    }

    /// Returns whether bytes arrive as they were recorded.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }

    /// Returns the pieces of `data`; one piece if it is empty.
    pub(crate) fn cut<'a>(&mut self, data: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        let mut rest = data;
        while rest.len() > 1 {
            let (piece, next) = rest.split_at(match self {
                Self::Whole => rest.len(),
                Self::Bytes => 1,
                Self::Random(random) => random.usize(1..=rest.len()),
            });
            pieces.push(piece);
            rest = next;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(rest);
        }
        pieces
    }
}
