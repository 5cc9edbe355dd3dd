//! Searches for several separators at once, byte by byte; no byte is looked at twice.
//!
//! This is the automaton of Aho and Corasick ("Efficient string matching", 1975). Its states are the prefixes of the
//! separators. After each byte the state is the longest prefix that the bytes so far end with. So a search that ran out
//! of bytes continues from its state alone, wherever the bytes were cut.

use crate::byte_set::ByteSet;
use crate::cost::spent;
use crate::separators::{Match, Separators};
use alloc::vec;
use alloc::vec::Vec;

/// A prefix of a separator; `ROOT` is the empty one.
pub(crate) type State = u32;
pub(crate) const ROOT: State = 0;

#[derive(Debug)]
pub(crate) struct Automaton {
    nodes: Vec<Node>,
    /// The first bytes of the separators: while the state is `ROOT`, all other bytes are skipped.
    starts: ByteSet,
}

/// A state and its transitions. The states that are one byte longer form a list: `child`, then its `sibling`s. `ROOT`
/// ends a list, because it is no state's child.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    byte: u8,
    child: State,
    sibling: State,
    /// The longest shorter state that is a suffix of this one.
    fallback: State,
    /// The length of this state in bytes.
    length: u32,
    /// The length in bytes of the shortest separator that this state ends with; 0 if there is none.
    ends_with: u32,
}

impl Automaton {
    pub(crate) fn new(separators: &Separators) -> Self {
        let mut automaton = Self {
            nodes: vec![Node::default()],
            starts: ByteSet::new(first_bytes(separators)),
        };
        for separator in separators.members() {
            automaton.insert(separator);
        }
        automaton.link();
        automaton
    }

    /// Searches `hay` from `from` on. `state` is the state after the bytes before `from`; without a match it becomes
    /// the state after the last byte.
    pub(crate) fn find(&self, hay: &[u8], from: usize, state: &mut State) -> Option<Match> {
        let mut at = from;
        loop {
            if *state == ROOT {
                at = at.saturating_add(self.starts.find(hay.get(at..)?)?);
            }
            *state = self.step(*state, *hay.get(at)?);
            at = at.saturating_add(1);
            let length = self.node(*state).ends_with as usize;
            if length > 0 {
                return Some(Match {
                    start: at.saturating_sub(length),
                    end: at,
                });
            }
        }
    }

    /// Reads `hay` from `from` on until the state is `ROOT`: no separator that began before is pending. Returns how far
    /// it read.
    pub(crate) fn settle(&self, hay: &[u8], from: usize, state: &mut State) -> Settled {
        let mut at = from;
        while *state != ROOT {
            let Some(&byte) = hay.get(at) else { break };
            *state = self.step(*state, byte);
            at = at.saturating_add(1);
            let length = self.node(*state).ends_with as usize;
            if length > 0 {
                return Settled::Found(Match {
                    start: at.saturating_sub(length),
                    end: at,
                });
            }
        }
        Settled::At(at)
    }

    /// Returns the state that `state` becomes when only the last `known` bytes that led to it are left.
    pub(crate) fn shorten(&self, mut state: State, known: usize) -> State {
        while self.node(state).length as usize > known {
            state = self.node(state).fallback;
        }
        state
    }

    fn insert(&mut self, separator: &[u8]) {
        let mut state = ROOT;
        for &byte in separator {
            // A shorter separator that is a prefix of this one always ends first.
            if self.node(state).ends_with > 0 {
                return;
            }
            state = match self.child(state, byte) {
                Some(child) => child,
                None => self.add(state, byte),
            };
        }
        let length = self.node(state).length;
        if let Some(node) = self.nodes.get_mut(state as usize) {
            node.ends_with = length;
        }
    }

    fn add(&mut self, parent: State, byte: u8) -> State {
        // The separators have at most 1 MiB: this fits.
        let new = self.nodes.len() as State;
        let Node {
            child: sibling,
            length,
            ..
        } = self.node(parent);
        self.nodes.push(Node {
            byte,
            sibling,
            length: length.saturating_add(1),
            ..Node::default()
        });
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            node.child = new;
        }
        new
    }

    /// Sets every fallback. Shorter states come first, because the fallbacks of longer ones follow from theirs.
    fn link(&mut self) {
        let mut order = vec![ROOT];
        let mut next = 0;
        while let Some(&parent) = order.get(next) {
            next = next.saturating_add(1);
            let mut child = self.node(parent).child;
            while child != ROOT {
                order.push(child);
                let fallback = match parent {
                    ROOT => ROOT,
                    _ => self.step(self.node(parent).fallback, self.node(child).byte),
                };
                // A separator at the end of the fallback is shorter than the child itself.
                let shortest = self.node(fallback).ends_with;
                let Some(node) = self.nodes.get_mut(child as usize) else {
                    break;
                };
                node.fallback = fallback;
                if shortest > 0 {
                    node.ends_with = shortest;
                }
                child = node.sibling;
            }
        }
    }

    fn step(&self, mut state: State, byte: u8) -> State {
        loop {
            spent(1);
            if let Some(child) = self.child(state, byte) {
                return child;
            }
            if state == ROOT {
                return ROOT;
            }
            state = self.node(state).fallback;
        }
    }

    fn child(&self, state: State, byte: u8) -> Option<State> {
        let mut child = self.node(state).child;
        while child != ROOT {
            let node = self.node(child);
            if node.byte == byte {
                return Some(child);
            }
            child = node.sibling;
        }
        None
    }

    fn node(&self, state: State) -> Node {
        self.nodes.get(state as usize).copied().unwrap_or_default()
    }
}

/// The result of [`Automaton::settle`].
pub(crate) enum Settled {
    /// A separator was found.
    Found(Match),
    /// The position where reading stopped: the state is `ROOT`, or there are no more bytes.
    At(usize),
}

fn first_bytes(separators: &Separators) -> impl Iterator<Item = u8> {
    separators
        .members()
        .iter()
        .filter_map(|separator| separator.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn automaton(separators: &[&str]) -> Automaton {
        let separators = separators
            .iter()
            .map(|separator| separator.as_bytes().to_vec())
            .collect();
        Automaton::new(&Separators::new(separators).unwrap())
    }

    fn find(separators: &[&str], hay: &str) -> Option<(usize, usize)> {
        let found = automaton(separators).find(hay.as_bytes(), 0, &mut ROOT.clone());
        found.map(|found| (found.start, found.end))
    }

    #[test]
    fn the_smallest_end_wins_then_the_shortest() {
        assert_eq!(find(&["DEF", "BCDE"], "ABCDEFG"), Some((1, 5)));
        assert_eq!(find(&["\r", "\r\n"], "a\r\nb"), Some((1, 2)));
        assert_eq!(find(&["\r\n", "\n"], "a\r\nb"), Some((2, 3)));
        assert_eq!(find(&["ab", "xab", "b!"], "xxab!"), Some((2, 4)));
        assert_eq!(find(&["abcd", "bc"], "abcd"), Some((1, 3)));
    }

    #[test]
    fn a_match_may_start_inside_a_near_miss() {
        assert_eq!(find(&["aab"], "aaaab"), Some((2, 5)));
        assert_eq!(find(&["abab!"], "ababab!"), Some((2, 7)));
        assert_eq!(find(&["ab"], "aaaa"), None);
    }

    #[test]
    fn a_search_continues_from_its_state_alone() {
        let automaton = automaton(&["abcabd", "cc"]);
        let hay = b"abcabcabd";
        let mut state = ROOT;
        for end in 1..hay.len() {
            assert!(automaton.find(&hay[..end], end - 1, &mut state).is_none());
        }
        let found = automaton.find(hay, hay.len() - 1, &mut state).unwrap();
        assert_eq!((found.start, found.end), (3, 9));
    }

    #[test]
    fn shortening_forgets_bytes_removed_from_the_front() {
        let automaton = automaton(&["aaab"]);
        let mut state = ROOT;
        assert!(automaton.find(b"aaa", 0, &mut state).is_none());
        state = automaton.shorten(state, 1);
        assert!(automaton.find(b"aaab", 3, &mut state.clone()).is_none());
        assert!(automaton.find(b"aaab", 1, &mut state).is_some());
    }
}
