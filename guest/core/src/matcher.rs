//! Chooses the cheapest way to find a given set of separators.

use crate::automaton::{Automaton, ROOT, Settled, State};
use crate::byte_set::ByteSet;
use crate::cost::spent;
use crate::separators::{Match, Separators};
use alloc::boxed::Box;
use alloc::vec::Vec;
use memchr::memmem::Finder;

/// Finds the match with the smallest end; among those, the shortest.
#[derive(Debug)]
pub(crate) enum Matcher {
    /// Single bytes only: the state is always `ROOT`.
    Bytes(ByteSet),
    /// One separator of several bytes.
    Long(Box<Long>),
    /// Several separators, some of them longer than one byte.
    Several(Box<Automaton>),
}

impl Matcher {
    pub(crate) fn newline() -> Self {
        Self::Bytes(ByteSet::One(b'\n'))
    }

    pub(crate) fn new(separators: &Separators) -> Self {
        let single: Vec<u8> = separators
            .members()
            .iter()
            .filter_map(|member| <[u8; 1]>::try_from(&**member).ok())
            .map(|[b]| b)
            .collect();
        let bytes = ByteSet::new(single.iter().copied());
        // A separator that contains another one never ends first: with "\n" and "\r\n", "\n" alone suffices.
        let mut rest = separators
            .members()
            .iter()
            .filter(|member| bytes.find(member).is_none());
        match (single.is_empty(), rest.next(), rest.next()) {
            (false, None, _) => Self::Bytes(bytes),
            (true, Some(only), None) => Self::Long(Box::new(Long::new(separators, only))),
            _ => Self::Several(Box::new(Automaton::new(separators))),
        }
    }

    /// Searches `hay` from `from` on. `state` is the state after the bytes before `from`; without a match it becomes
    /// the state after the last byte.
    pub(crate) fn find(&self, hay: &[u8], from: usize, state: &mut State) -> Option<Match> {
        match self {
            Self::Bytes(bytes) => {
                let start = from.saturating_add(bytes.find(hay.get(from..)?)?);
                Some(Match {
                    start,
                    end: start.saturating_add(1),
                })
            }
            Self::Long(long) => long.find(hay, from, state),
            Self::Several(automaton) => automaton.find(hay, from, state),
        }
    }

    /// Returns the state that `state` becomes when only the last `known` bytes that led to it are left.
    pub(crate) fn shorten(&self, state: State, known: usize) -> State {
        match self {
            Self::Bytes(_) => ROOT,
            Self::Long(long) => long.automaton.shorten(state, known),
            Self::Several(automaton) => automaton.shorten(state, known),
        }
    }
}

/// One separator of several bytes: the automaton handles the places where bytes were cut, `memmem` the bytes between.
#[derive(Debug)]
pub(crate) struct Long {
    finder: Finder<'static>,
    automaton: Automaton,
}

impl Long {
    fn new(separators: &Separators, separator: &[u8]) -> Self {
        Self {
            finder: Finder::new(separator).into_owned(),
            automaton: Automaton::new(separators),
        }
    }

    fn find(&self, hay: &[u8], from: usize, state: &mut State) -> Option<Match> {
        let from = match self.automaton.settle(hay, from, state) {
            Settled::Found(found) => return Some(found),
            Settled::At(at) => at,
        };
        if *state != ROOT {
            return None;
        }
        let rest = hay.get(from..)?;
        let length = self.finder.needle().len();
        if let Some(at) = self.finder.find(rest) {
            let start = from.saturating_add(at);
            let end = start.saturating_add(length);
            spent(end.saturating_sub(from));
            return Some(Match { start, end });
        }
        spent(rest.len());
        // The last bytes may be the beginning of a separator.
        let tail = from.max(hay.len().saturating_sub(length.saturating_sub(1)));
        self.automaton.find(hay, tail, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(separators: &[&[u8]]) -> Matcher {
        let separators = separators
            .iter()
            .map(|separator| separator.to_vec())
            .collect();
        Matcher::new(&Separators::new(separators).unwrap())
    }

    #[test]
    fn single_byte_separators_use_memchr() {
        assert!(matches!(
            matcher(&[b"\n"]),
            Matcher::Bytes(ByteSet::One(b'\n'))
        ));
        assert!(matches!(
            matcher(&[b"\r", b"\n"]),
            Matcher::Bytes(ByteSet::Two(..))
        ));
        assert!(matches!(
            matcher(&[b"a", b"b", b"c"]),
            Matcher::Bytes(ByteSet::Three(..))
        ));
        assert!(matches!(
            matcher(&[b"a", b"b", b"c", b"d"]),
            Matcher::Bytes(ByteSet::Table(_))
        ));
    }

    #[test]
    fn separators_that_contain_a_single_byte_separator_are_left_out() {
        assert!(matches!(
            matcher(&[b"\r\n", b"\n"]),
            Matcher::Bytes(ByteSet::One(b'\n'))
        ));
        assert!(matches!(matcher(&[b"\r\n"]), Matcher::Long(_)));
        assert!(matches!(matcher(&[b"\r\n", b"\n\n"]), Matcher::Several(_)));
        assert!(matches!(matcher(&[b"END", b"\n"]), Matcher::Several(_)));
    }

    #[test]
    fn a_separator_is_found_wherever_the_bytes_are_cut() {
        let hay = b"\r\n\r.\r\r\n\r\n!";
        for cut in 0..=hay.len() {
            let matcher = matcher(&[b"\r\n\r\n"]);
            let mut state = ROOT;
            let found = matcher
                .find(&hay[..cut], 0, &mut state)
                .or_else(|| matcher.find(hay, cut, &mut state));
            assert_eq!(found, Some(Match { start: 5, end: 9 }), "cut at {cut}");
        }
    }
}
