//! What `readuntil` looks for.

use crate::error::InvalidArgument;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// More bytes of separators than this are refused: the search keeps some 24 bytes for each of them.
const MOST: usize = 1024 * 1024;

/// One or more separators; the stream is read up to the first that is complete.
///
/// Two values are equal if they hold the same separators, in whatever order they were given. A clone costs nothing, and
/// a reader that is asked for equal separators again goes on where its search stopped.
#[derive(Clone, Debug)]
pub struct Separators {
    /// The shortest first, each once.
    members: Arc<[Vec<u8>]>,
}

impl Separators {
    /// Separators to look for all at once.
    ///
    /// # Errors
    /// `InvalidArgument` if there is none, if one of them is empty (both as in asyncio), or if they have more than
    /// 1 MiB together.
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
        separators.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        separators.dedup();
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

    /// The separators, the shortest first.
    pub(crate) fn members(&self) -> &[Vec<u8>] {
        &self.members
    }

    /// The length of the longest, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.members.last().map_or(1, Vec::len)
    }

    /// Whether this is what `readline` looks for.
    pub(crate) fn is_newline(&self) -> bool {
        matches!(&*self.members, [only] if only == b"\n")
    }
}

impl PartialEq for Separators {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.members, &other.members) || self.members == other.members
    }
}

impl Eq for Separators {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn refuses_none_and_empty_ones() {
        assert!(Separators::new(vec![]).is_err());
        assert!(Separators::new(vec![vec![]]).is_err());
        assert!(Separators::new(vec![b"\n".to_vec(), vec![]]).is_err());
    }

    #[test]
    fn refuses_more_than_a_mebibyte() {
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
