//! The separators that `readuntil` looks for.

use crate::error::InvalidArgument;
use alloc::collections::BinaryHeap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most bytes that the separators may have together: the search keeps about 24 bytes for each.
const MOST: usize = 1024 * 1024;

/// One or more separators; a read stops at the first one that is complete.
///
/// Two values are equal if they hold the same separators, in any order. A clone is cheap, and a reader continues its
/// search when it is given equal separators again.
#[derive(Clone, Debug)]
pub struct Separators {
    /// The shortest first, each once.
    members: Arc<[Vec<u8>]>,
}

impl Separators {
    /// Creates a set of separators to search for at once.
    ///
    /// # Errors
    /// `InvalidArgument` if there are none, if one of them is empty (both as in asyncio), or if they have more than 1
    /// MiB together.
    pub fn new(mut separators: Vec<Vec<u8>>) -> Result<Self, InvalidArgument> {
        if separators.is_empty() {
            return Err(InvalidArgument("at least one separator is needed"));
        }
        if separators.iter().any(Vec::is_empty) {
            return Err(InvalidArgument("a separator has at least one byte"));
        }
        if separators.iter().fold(0, |sum: usize, separator| {
            sum.saturating_add(separator.len())
        }) > MOST
        {
            return Err(InvalidArgument(
                "the separators have more than 1 MiB together",
            ));
        }
        if separators.len() > 1 {
            separators = sorted(separators);
            separators.dedup();
        }
        Ok(Self {
            members: separators.into(),
        })
    }

    /// Returns whether `separators` are these, in the same order: the shortest first, each once.
    pub fn are(&self, separators: &[&[u8]]) -> bool {
        self.members.len() == separators.len()
            && (self.members.iter())
                .zip(separators)
                .all(|(member, other)| member == other)
    }

    /// Returns the separators, the shortest first.
    pub(crate) fn members(&self) -> &[Vec<u8>] {
        &self.members
    }

    /// Returns the length of the longest, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.members.last().map_or(1, Vec::len)
    }

    /// Returns whether these are the separators of `readline`.
    pub(crate) fn is_newline(&self) -> bool {
        matches!(&*self.members, [only] if only == b"\n")
    }
}

/// Sorts by length, then by bytes. A heap takes less code than the sort of the standard library.
#[cold]
fn sorted(separators: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let separators = separators.into_iter().map(|of| (of.len(), of));
    let sorted = separators.collect::<BinaryHeap<_>>().into_sorted_vec();
    sorted.into_iter().map(|(_, of)| of).collect()
}

impl PartialEq for Separators {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.members, &other.members) || self.members == other.members
    }
}

impl Eq for Separators {}

/// The position of a separator in the buffer: bytes `start..end`, counted from the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn an_empty_list_and_empty_separators_are_refused() {
        assert!(Separators::new(vec![]).is_err());
        assert!(Separators::new(vec![vec![]]).is_err());
        assert!(Separators::new(vec![b"\n".to_vec(), vec![]]).is_err());
    }

    #[test]
    fn more_than_a_mebibyte_is_refused() {
        assert!(Separators::new(vec![vec![1; MOST]]).is_ok());
        assert!(Separators::new(vec![vec![1; MOST], vec![2]]).is_err());
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let one = Separators::new(vec![b"\r\n".to_vec(), b"\n".to_vec(), b"\n".to_vec()]).unwrap();
        let other = Separators::new(vec![b"\n".to_vec(), b"\r\n".to_vec()]).unwrap();
        assert_eq!(one, other);
        assert_eq!((one.members().len(), one.longest()), (2, 2));
        assert!(!one.is_newline());
        assert!(Separators::new(vec![b"\n".to_vec()]).unwrap().is_newline());
    }
}
