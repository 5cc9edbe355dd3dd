//! A search that never looks at a byte twice while the same separators are looked for.

use crate::automaton::{ROOT, State};
use crate::matcher::{Match, Matcher};

/// The search for one set of separators in a buffer that grows at the back and is taken from the front.
#[derive(Debug)]
pub(crate) struct Search {
    matcher: Matcher,
    /// No separator ends within this many bytes of the front; the next search starts here.
    searched: usize,
    /// What those bytes may be the start of. With the separator `END`: `abcEN` was searched to 5 and leads to the
    /// state `EN`; when `D` comes, one byte is looked at.
    state: State,
    /// The separator that was found, for as long as the front has not passed it: asking again costs nothing.
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

    /// The first separator in `buffered`, which must be what earlier calls were given, with bytes added at the back
    /// and, if [`front_moved`](Self::front_moved) said so, taken from the front.
    pub(crate) fn find(&mut self, buffered: &[u8]) -> Option<Match> {
        if self.found.is_none() && self.searched < buffered.len() {
            self.found = self.matcher.find(buffered, self.searched, &mut self.state);
            self.searched = buffered.len();
        }
        self.found
    }

    /// Tells that the first `n` bytes are gone.
    pub(crate) fn front_moved(&mut self, n: usize) {
        match self.found {
            // Whatever ends first still does.
            Some(found) if found.start >= n => {
                self.found = Some(Match {
                    start: found.start.saturating_sub(n),
                    end: found.end.saturating_sub(n),
                });
            }
            // Cut into or taken. Nothing is known about what follows.
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
    fn goes_on_where_it_stopped() {
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
    fn the_start_of_a_separator_may_leave_at_the_front() {
        let mut search = search(b"aaab");
        assert_eq!(search.find(b"aaa"), None);
        search.front_moved(2);
        assert_eq!(search.find(b"ab"), None);
        assert_eq!(search.find(b"abaaab"), Some(Match { start: 2, end: 6 }));
    }
}
