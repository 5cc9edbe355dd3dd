//! Counts the bytes that searches and moves look at. Only this crate's own tests count; elsewhere it does nothing.

/// Adds `bytes` to the count.
pub(crate) fn spent(bytes: usize) {
    #[cfg(test)]
    tests::count(bytes);
    let _ = bytes;
}

/// Checks that no operation takes quadratic time, with bounds on the bytes looked at. The bounds are loose, but a
/// search that started over would exceed all of them by orders of magnitude.
#[cfg(test)]
mod tests {
    use crate::{ReadError, Reader, Separators, Wanted};
    use alloc::vec;
    use alloc::vec::Vec;
    use core::cell::Cell;

    const SIZE: usize = 256 * 1024;

    std::thread_local! {
        static SPENT: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count(bytes: usize) {
        SPENT.with(|spent| spent.set(spent.get() + bytes));
    }

    /// Returns how many bytes were looked at while `work` ran.
    fn cost(work: impl FnOnce()) -> usize {
        let before = SPENT.with(Cell::get);
        work();
        SPENT.with(Cell::get) - before
    }

    fn reader(limit: usize) -> Reader<()> {
        Reader::new(limit, usize::MAX).unwrap()
    }

    fn separators(separators: &[&[u8]]) -> Separators {
        Separators::new(
            separators
                .iter()
                .map(|separator| separator.to_vec())
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn many_short_lines_in_a_big_buffer() {
        let mut reader = reader(SIZE);
        reader.feed(&b"seven..\n".repeat(SIZE / 8));
        let cost = cost(|| while reader.readline().unwrap().is_some() {});
        assert!(cost <= 2 * SIZE, "{cost}");
        assert_eq!(reader.buffered(), 0);
    }

    #[test]
    fn many_short_lines_with_separators_that_never_come() {
        for others in [
            &[&b"\0"[..]][..],
            &[b"\0\0"],
            &[b"EN", b"seven!"],
            &[b"..\r\n", b".seven", &[0; 1000]],
        ] {
            let mut all = vec![&b".\n"[..]];
            all.extend(others);
            let separators = separators(&all);
            let mut reader = reader(SIZE);
            reader.feed(&b"seven..\n".repeat(SIZE / 8));
            let cost = cost(|| while reader.readuntil(&separators).unwrap().is_some() {});
            assert!(cost <= 8 * SIZE, "{cost} with {others:?}");
            assert_eq!(reader.buffered(), 0);
        }
    }

    #[test]
    fn one_long_line_in_many_small_pieces() {
        let long = [&[b'.'; 1000][..], b"!"].concat();
        for separators in [
            separators(&[b"\n"]),
            separators(&[b"\r\n"]),
            separators(&[&long]),
            separators(&[b"a", b"b", b"c", b"d"]),
            separators(&[b"\r\n", b"..a", &long]),
        ] {
            let mut reader = reader(SIZE);
            let wanted = Wanted::Until(separators.clone());
            let cost = cost(|| {
                for _ in 0..SIZE {
                    reader.feed(b".");
                    assert!(!reader.is_ready(&wanted));
                    assert_eq!(reader.readuntil(&separators), Ok(None));
                }
            });
            assert!(cost <= 8 * SIZE, "{cost} with {separators:?}");
        }
    }

    #[test]
    fn alternating_between_lines_and_another_separator() {
        let separators = separators(&[b"END"]);
        let mut reader = reader(SIZE);
        let cost = cost(|| {
            for _ in 0..SIZE {
                reader.feed(b".");
                assert_eq!(reader.readline(), Ok(None));
                assert_eq!(reader.readuntil(&separators), Ok(None));
                assert_eq!(reader.readlines(usize::MAX), Ok(None));
            }
        });
        assert!(cost <= 8 * SIZE, "{cost}");
    }

    #[test]
    fn a_retried_overrun_costs_no_second_search() {
        let mut found = reader(10);
        found.feed(&[&vec![b'.'; SIZE][..], b"\n"].concat());
        let mut not_found = reader(10);
        not_found.feed(&vec![b'.'; SIZE]);
        let cost = cost(|| {
            for _ in 0..1000 {
                assert!(matches!(
                    found.readline(),
                    Err(ReadError::LimitOverrun {
                        found: true,
                        consumed: SIZE
                    })
                ));
                assert!(matches!(
                    not_found.readlines(1),
                    Err(ReadError::LimitOverrun { found: false, .. })
                ));
            }
        });
        assert!(cost <= 3 * SIZE, "{cost}");
    }

    #[test]
    fn an_overrun_retried_after_each_discarded_byte() {
        let separators = separators(&[b"..!", b"END"]);
        let mut reader = reader(10);
        reader.feed(&[&vec![b'.'; SIZE][..], b"\n"].concat());
        let cost = cost(|| {
            for _ in 0..SIZE - 20 {
                assert!(matches!(
                    reader.readline(),
                    Err(ReadError::LimitOverrun { found: true, .. })
                ));
                assert!(matches!(
                    reader.readuntil(&separators),
                    Err(ReadError::LimitOverrun { found: false, .. })
                ));
                reader.discard(1);
            }
        });
        assert!(cost <= 8 * SIZE, "{cost}");
    }

    #[test]
    fn blocks_of_lines_cost_a_few_looks_at_each_byte() {
        let mut lines: Vec<u8> = Vec::new();
        for length in (0..1000).cycle().take(500) {
            lines.resize(lines.len() + length, b'.');
            lines.push(b'\n');
        }
        for most in [0, 1, 100, 5000, usize::MAX] {
            let mut reader = reader(1000);
            reader.feed(&lines);
            let cost = cost(|| while reader.readlines(most).unwrap().is_some() {});
            // A block of few bytes may be looked at from both ends, and the line after it again.
            assert!(
                cost <= 6 * lines.len(),
                "{cost} of {} for {most}",
                lines.len()
            );
        }
    }

    #[test]
    fn a_reader_slower_than_its_transport() {
        let mut reader = reader(SIZE);
        reader.feed(&vec![b'.'; 5000]);
        let cost = cost(|| {
            for _ in 0..SIZE / 100 {
                reader.feed(&[b'.'; 100]);
                reader.discard(100);
            }
        });
        assert!(cost <= 2 * SIZE, "{cost}");
    }
}
