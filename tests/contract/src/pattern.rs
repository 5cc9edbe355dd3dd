//! Bytes that depend on their position, so that lost, repeated or swapped bytes are noticed. The peers on the host
//! use the same pattern.

use crate::{Failure, Result};

/// `n` bytes of the pattern, from `start`.
pub fn pattern(start: usize, n: usize) -> Vec<u8> {
    (start..start.saturating_add(n)).map(byte).collect()
}

/// Fails unless `bytes` are the pattern from `start`; returns the position after them.
#[track_caller]
pub fn follow(start: usize, bytes: &[u8]) -> Result<usize> {
    let mut position = start;
    for found in bytes {
        let expected = byte(position);
        if *found != expected {
            return Err(Failure::new(format_args!(
                "{found} instead of {expected} at position {position}"
            )));
        }
        position = position.saturating_add(1);
    }
    Ok(position)
}

/// The top byte of a multiplicative hash: it has no period in common with a block's size.
fn byte(position: usize) -> u8 {
    let [.., top] = (position as u32).wrapping_mul(2_654_435_761).to_le_bytes();
    top
}
