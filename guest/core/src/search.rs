//! A search that never looks at a byte twice while the separators stay the same.

use crate::automaton::{ROOT, State};
use crate::matcher::Matcher;
use crate::separators::Match;

/// The search for one set of separators in a buffer that grows at the back and shrinks at the front.
#[derive(Debug)]
pub(crate) struct Search {
    matcher: Matcher,
    /// No separator ends within this many bytes of the front; the next search starts here.
    searched: usize,
    /// The automaton's state after those bytes. With the separator `END`, `abcEN` was searched up to 5, and the state
    /// is `EN`; when `D` arrives, only one byte is looked at.
    state: State,
    /// The separator that was found, until the front passes it: asking again costs nothing.
    found: Option<Match>,
}

impl Search {
    pub(crate) fn new(matcher: Matcher) -> Self {
        Self {
            matcher,
            searched: 0,
            state: ROOT,
            found: None,
        }
    }

    /// Returns the first separator in `buffered`. The bytes must be those of earlier calls, with new ones at the back,
    /// and without those at the front that [`front_moved`](Self::front_moved) was called for.
    pub(crate) fn find(&mut self, buffered: &[u8]) -> Option<Match> {
        if self.found.is_none() && self.searched < buffered.len() {
            self.found = self.matcher.find(buffered, self.searched, &mut self.state);
            self.searched = buffered.len();
        }
        self.found
    }

    /// Records that the first `n` bytes were removed.
    pub(crate) fn front_moved(&mut self, n: usize) {
        match self.found {
            // The first match stays the first.
            Some(found) if found.start >= n => {
                self.found = Some(Match {
                    start: found.start.saturating_sub(n),
                    end: found.end.saturating_sub(n),
                });
            }
            // The match was cut or taken. Nothing is known about the bytes after it.
            Some(_) => {
                self.found = None;
                self.searched = 0;
                self.state = ROOT;
            }
            None => {
                self.searched = self.searched.saturating_sub(n);
                self.state = self.matcher.shorten(self.state, self.searched);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::separators::Separators;
    use alloc::vec;

    fn search(separator: &[u8]) -> Search {
        Search::new(Matcher::new(
            &Separators::new(vec![separator.to_vec()]).unwrap(),
        ))
    }

    #[test]
    fn a_search_continues_where_it_stopped() {
        let mut search = search(b"END");
        assert_eq!(search.find(b"abcEN"), None);
        assert_eq!(search.find(b"abcEND"), Some(Match { start: 3, end: 6 }));
    }

    #[test]
    fn a_match_stays_until_the_front_passes_it() {
        let mut search = search(b"END");
        assert_eq!(search.find(b"abEND.END"), Some(Match { start: 2, end: 5 }));
        search.front_moved(2);
        assert_eq!(search.find(b"END.END"), Some(Match { start: 0, end: 3 }));
        search.front_moved(1);
        assert_eq!(search.find(b"ND.END"), Some(Match { start: 3, end: 6 }));
        search.front_moved(6);
        assert_eq!(search.find(b""), None);
    }

    #[test]
    fn the_start_of_a_separator_may_be_removed_at_the_front() {
        let mut search = search(b"aaab");
        assert_eq!(search.find(b"aaa"), None);
        search.front_moved(2);
        assert_eq!(search.find(b"ab"), None);
        assert_eq!(search.find(b"abaaab"), Some(Match { start: 2, end: 6 }));
    }
}
