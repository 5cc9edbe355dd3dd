//! Invariants of a race:
//! - Each attempt starts once, in order, and not before the previous one has failed or the delay has passed.
//! - Without a delay at most one attempt is under way.
//! - A wait is for a future time or for an attempt under way.
//! - The race has failed exactly when all attempts have failed; then all errors are there, in order.
//!
//! Interleaving loses and duplicates nothing, keeps the order within a family, and starts with the first family.

#![no_main]

use arbitrary::Arbitrary;
use asyncio_streams_core::{HappyEyeballs, Step, interleave};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    count: u8,
    delay: Option<u32>,
    start: u64,
    ops: Vec<Op>,
    families: Vec<u8>,
    lead: u8,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Next,
    /// Some time passes.
    Pass(u32),
    /// Time passes until the race wants the next call.
    PassUntil,
    Failed(u8),
}

fuzz_target!(|input: Input| {
    race(&input);
    order(&input.families, input.lead.into());
});

fn race(input: &Input) {
    let count = usize::from(input.count);
    let delay = input.delay.map(u64::from);
    let mut race = HappyEyeballs::new(count, delay);
    let mut now = input.start;
    let mut starts: Vec<u64> = Vec::new();
    let mut failed: Vec<usize> = Vec::new();
    let mut wanted = None;
    for op in &input.ops {
        match op {
            Op::Pass(nanoseconds) => now = now.saturating_add((*nanoseconds).into()),
            Op::PassUntil => now = wanted.unwrap_or(now).max(now),
            Op::Failed(attempt) => {
                let attempt = usize::from(*attempt);
                race.failed(attempt, attempt);
                if attempt < starts.len() && !failed.contains(&attempt) {
                    failed.push(attempt);
                }
            }
            Op::Next => {
                let pending = starts.len() - failed.len();
                let last_failed = starts
                    .len()
                    .checked_sub(1)
                    .is_none_or(|last| failed.contains(&last));
                let due = delay.and_then(|delay| Some(starts.last()?.saturating_add(delay)));
                let may_start = last_failed || due.is_some_and(|due| now >= due);
                match race.next(now) {
                    Step::Start(attempt) => {
                        assert!(attempt == starts.len() && attempt < count && may_start);
                        assert!(delay.is_some() || pending == 0);
                        starts.push(now);
                    }
                    Step::Wait { until } => {
                        assert!(pending > 0 && (starts.len() == count || !may_start));
                        assert_eq!(until, due.filter(|_| starts.len() < count));
                        assert!(until.is_none_or(|until| until > now));
                        wanted = until;
                    }
                    Step::Failed => assert!(failed.len() == count),
                }
            }
        }
    }
    failed.sort_unstable();
    assert!(
        race.into_errors()
            .into_iter()
            .eq(failed.into_iter().map(|attempt| (attempt, attempt)))
    );
}

fn order(families: &[u8], lead: usize) {
    let addresses: Vec<(u8, usize)> = families.iter().copied().zip(0..).collect();
    let ordered = interleave(addresses.clone(), lead, |(family, _)| *family);
    let mut sorted = ordered.clone();
    sorted.sort_unstable_by_key(|(_, number)| *number);
    assert_eq!(sorted, addresses);
    for family in families {
        let numbers: Vec<usize> = ordered
            .iter()
            .filter(|one| one.0 == *family)
            .map(|one| one.1)
            .collect();
        assert!(numbers.is_sorted());
    }
    if let Some(first) = families.first() {
        let of_first = families.iter().filter(|family| *family == first).count();
        let led = ordered
            .iter()
            .take_while(|(family, _)| family == first)
            .count();
        assert!(lead == 0 || led >= lead.min(of_first));
    }
}
