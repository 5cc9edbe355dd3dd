//! Connecting: the order of the addresses, and the race between them on a clock that the test controls.

use asyncio_streams_core::{HappyEyeballs, Step, interleave};
use proptest::prelude::*;

/// The result of an attempt, and how long after its start it comes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Succeeds(u64),
    Fails(u64),
    /// Never ends, like an address that drops all packets.
    Hangs,
}

/// The result of a race.
#[derive(Debug, PartialEq)]
struct Race {
    starts: Vec<u64>,
    end: End,
}

#[derive(Debug, PartialEq)]
enum End {
    /// The attempt, and the time.
    Won(usize, u64),
    Failed(u64),
    Hangs,
}

/// Drives a race as a caller would: starts the attempts, then waits for the first event.
fn race(fates: &[Fate], delay: Option<u64>) -> Race {
    let mut race = HappyEyeballs::new(fates.len(), delay);
    let mut now = 1000;
    let mut starts = Vec::new();
    let mut pending: Vec<usize> = Vec::new();
    loop {
        let until = loop {
            match race.next(now) {
                Step::Start(attempt) => {
                    assert_eq!(attempt, starts.len(), "attempts start in order");
                    starts.push(now);
                    pending.push(attempt);
                }
                Step::Wait { until } => break until,
                Step::Failed => {
                    assert!(pending.is_empty());
                    let errors = race.into_errors();
                    assert!(
                        errors
                            .iter()
                            .map(|(attempt, _)| *attempt)
                            .eq(0..fates.len()),
                        "{errors:?}"
                    );
                    assert!(
                        errors.iter().all(|(attempt, error)| attempt == error),
                        "{errors:?}"
                    );
                    return Race {
                        starts,
                        end: End::Failed(now),
                    };
                }
            }
        };
        let ends = |attempt: usize| match fates[attempt] {
            Fate::Succeeds(after) | Fate::Fails(after) => Some(starts[attempt] + after),
            Fate::Hangs => None,
        };
        // Of events at the same moment, a success comes first, as in `expected`.
        let first = pending
            .iter()
            .filter_map(|attempt| {
                let fails = matches!(fates[*attempt], Fate::Fails(_));
                Some((ends(*attempt)?, fails, *attempt))
            })
            .min();
        match (first, until) {
            (Some((at, _, attempt)), until) if until.is_none_or(|until| at <= until) => {
                now = at;
                pending.retain(|other| *other != attempt);
                if matches!(fates[attempt], Fate::Succeeds(_)) {
                    return Race {
                        starts,
                        end: End::Won(attempt, now),
                    };
                }
                race.failed(attempt, attempt);
            }
            (_, Some(until)) => {
                assert!(until > now, "the wait ends at once");
                now = until;
            }
            (_, None) => {
                return Race {
                    starts,
                    end: End::Hangs,
                };
            }
        }
    }
}

/// Computes the start of each attempt from the rule alone: when the one before failed, or the delay after its start.
fn expected(fates: &[Fate], delay: Option<u64>) -> Race {
    let mut starts: Vec<u64> = Vec::new();
    let mut start = Some(1000);
    for fate in fates {
        let Some(at) = start else { break };
        starts.push(at);
        let failed = if let Fate::Fails(after) = fate {
            Some(at + after)
        } else {
            None
        };
        let delayed = delay.map(|delay| at + delay);
        start = failed.into_iter().chain(delayed).min();
    }
    let won =
        starts
            .iter()
            .zip(fates)
            .enumerate()
            .filter_map(|(attempt, (start, fate))| match fate {
                Fate::Succeeds(after) => Some((start + after, attempt)),
                _ => None,
            });
    let end = match won.min() {
        Some((at, attempt)) => {
            // Attempts that would start at that moment or later are not needed any more.
            let before = starts.iter().filter(|start| **start < at).count();
            starts.truncate(before.max(attempt + 1));
            End::Won(attempt, at)
        }
        None if fates.iter().all(|fate| matches!(fate, Fate::Fails(_))) => {
            let failures = starts.iter().zip(fates).map(|(start, fate)| match fate {
                Fate::Fails(after) => start + after,
                _ => 0,
            });
            End::Failed(failures.max().unwrap_or(1000))
        }
        None => End::Hangs,
    };
    Race { starts, end }
}

/// The delay of the third attempt passes when that succeeds, and the first one fails at the same moment. `race` and `expected` must
/// both end there: the order of such events is theirs, since `HappyEyeballs` is told of failures alone.
#[test]
fn race_and_expected_end_with_a_success_at_the_moment_of_other_events() {
    let fates = [
        Fate::Fails(26),
        Fate::Fails(8),
        Fate::Succeeds(9),
        Fate::Succeeds(0),
    ];
    let expected = expected(&fates, Some(9));
    assert_eq!(expected.end, End::Won(2, 1026));
    assert_eq!(race(&fates, Some(9)), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attempts_start_when_the_one_before_failed_or_the_delay_passed(
        fates in prop::collection::vec(fate(), 0..8),
        delay in prop::option::of(1..50u64),
    ) {
        prop_assert_eq!(race(&fates, delay), expected(&fates, delay));
    }

    /// asyncio's own steps: groups by family, lets the first family lead, then takes one of each in turns.
    #[test]
    fn interleaving_equals_asyncios(
        addresses in prop::collection::vec((0..4u8, any::<u8>()), 0..20),
        lead in 0..6usize,
    ) {
        let ordered = interleave(addresses.clone(), lead, |(family, _)| *family);
        if lead == 0 {
            prop_assert_eq!(ordered, addresses);
            return Ok(());
        }
        let mut families: Vec<u8> = Vec::new();
        for (family, _) in &addresses {
            if !families.contains(family) {
                families.push(*family);
            }
        }
        let of = |family: u8| addresses.iter().copied().filter(move |address| address.0 == family);
        let mut groups: Vec<Vec<(u8, u8)>> = families.into_iter().map(|family| of(family).collect()).collect();
        let mut expected = Vec::new();
        if let Some(first) = groups.first_mut() {
            expected.extend(first.drain(..(lead - 1).min(first.len())));
        }
        for turn in 0..addresses.len() {
            expected.extend(groups.iter().filter_map(|group| group.get(turn)));
        }
        prop_assert_eq!(ordered, expected);
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => (0..100u64).prop_map(Fate::Succeeds),
        4 => (0..100u64).prop_map(Fate::Fails),
        1 => Just(Fate::Hangs),
    ]
}

#[test]
fn a_hanging_attempt_costs_one_delay_and_a_failed_one_none() {
    let good = Fate::Succeeds(1);
    assert_eq!(race(&[Fate::Hangs, good], Some(200)).end, End::Won(1, 1201));
    assert_eq!(
        race(&[Fate::Fails(0), good], Some(5000)).end,
        End::Won(1, 1001)
    );
    assert_eq!(race(&[Fate::Hangs, good], None).end, End::Hangs);
    assert_eq!(race(&[Fate::Fails(7), good], None).end, End::Won(1, 1008));
}

#[test]
fn with_a_delay_of_zero_all_start_at_once() {
    let fates = [Fate::Hangs, Fate::Hangs, Fate::Succeeds(5)];
    assert_eq!(
        race(&fates, Some(0)),
        Race {
            starts: vec![1000; 3],
            end: End::Won(2, 1005)
        }
    );
}

#[test]
fn no_address_fails_at_once() {
    assert_eq!(HappyEyeballs::<()>::new(0, Some(1)).next(0), Step::Failed);
}

#[test]
fn the_failure_of_an_earlier_attempt_starts_no_new_one() {
    // The first attempt fails while the second runs: the third still waits for the delay of the second.
    let fates = [Fate::Fails(15), Fate::Hangs, Fate::Succeeds(1)];
    assert_eq!(race(&fates, Some(10)).starts, [1000, 1010, 1020]);
}

#[test]
fn failures_of_unknown_attempts_are_ignored() {
    let mut race = HappyEyeballs::new(2, None);
    assert_eq!(race.next(0), Step::Start(0));
    race.failed(1, "not started");
    assert_eq!(race.next(0), Step::Wait { until: None });
    race.failed(0, "refused");
    race.failed(0, "again");
    assert_eq!(race.next(0), Step::Start(1));
    assert_eq!(race.into_errors(), [(0, "refused")]);
}

#[test]
fn the_latest_time_does_not_overflow() {
    let mut race = HappyEyeballs::<()>::new(2, Some(u64::MAX));
    assert_eq!(race.next(u64::MAX - 1), Step::Start(0));
    assert_eq!(
        race.next(u64::MAX - 1),
        Step::Wait {
            until: Some(u64::MAX)
        }
    );
}
