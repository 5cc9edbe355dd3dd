//! Searches for the first of several bytes.

use crate::cost::spent;
use alloc::boxed::Box;
use memchr::{memchr, memchr2, memchr3};

/// A set of bytes, prepared for finding the first member.
#[derive(Clone, Debug)]
pub(crate) enum ByteSet {
    One(u8),
    Two(u8, u8),
    Three(u8, u8, u8),
    /// No member, or more than three.
    Table(Box<[bool; 256]>),
}

impl ByteSet {
    pub(crate) fn new(bytes: impl Iterator<Item = u8>) -> Self {
        let mut table = Box::new([false; 256]);
        for byte in bytes {
            if let Some(member) = table.get_mut(usize::from(byte)) {
                *member = true;
            }
        }
        let mut members = (0..=u8::MAX).filter(|byte| contains(&table, *byte));
        match (
            members.next(),
            members.next(),
            members.next(),
            members.next(),
        ) {
            (Some(a), None, _, _) => Self::One(a),
            (Some(a), Some(b), None, _) => Self::Two(a, b),
            (Some(a), Some(b), Some(c), None) => Self::Three(a, b, c),
            _ => Self::Table(table),
        }
    }

    /// Returns the position of the first member.
    pub(crate) fn find(&self, hay: &[u8]) -> Option<usize> {
        let found = match self {
            Self::One(a) => memchr(*a, hay),
            Self::Two(a, b) => memchr2(*a, *b, hay),
            Self::Three(a, b, c) => memchr3(*a, *b, *c, hay),
            Self::Table(table) => hay.iter().position(|byte| contains(table, *byte)),
        };
        spent(found.map_or(hay.len(), |at| at.saturating_add(1)));
        found
    }
}

fn contains(table: &[bool; 256], byte: u8) -> bool {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_size_finds_its_first_member() {
        for set in [&b"x"[..], b"xy", b"xyz", b"wxyz"] {
            assert_eq!(ByteSet::new(set.iter().copied()).find(b"..x"), Some(2));
            assert_eq!(ByteSet::new(set.iter().copied()).find(b"..."), None);
        }
        assert_eq!(ByteSet::new(core::iter::empty()).find(b"..."), None);
    }
}
