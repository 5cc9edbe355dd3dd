//! Replays recorded operations of asyncio's `StreamReader` (`tests/vectors/` at the root of the repository) on the
//! core.
//!
//! `STREAMREADER_VECTORS` names another file of the same format.

mod call;
mod case;
mod failed;
mod pieces;
mod replay;
#[path = "../support/mod.rs"]
mod support;

use case::{Case, Outcome};
use pieces::Pieces;
use std::path::Path;
use std::{env, fs};

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/vectors/streamreader.json"
);

#[test]
fn streams_fed_whole_are_read_as_in_asyncio() {
    replay_all(&given(), |_| Pieces::Whole);
}

#[test]
fn streams_fed_byte_by_byte_are_read_as_in_asyncio() {
    replay_all(&given(), |_| Pieces::Bytes);
}

#[test]
fn streams_fed_in_random_pieces_are_read_as_in_asyncio() {
    let cases = given();
    for round in 0..20 {
        replay_all(&cases, |case| Pieces::random(round << 32 | case as u64));
    }
}

/// Makes a record wrong, if possible.
type Change = fn(&mut Case) -> bool;

/// Checks that the replay can fail: it notices every kind of wrong record, in each way of feeding.
#[test]
fn a_wrong_record_is_noticed() {
    let cases = load(Path::new(VECTORS));
    for pieces in [|_| Pieces::Whole, |_| Pieces::Bytes, Pieces::random] {
        let changes: [(&str, Change); 5] = [
            ("a byte of a result", |case| change(case, wrong_byte)),
            ("a byte of the buffer", |case| {
                case.steps.last_mut().is_some_and(|step| {
                    step.buf.push(0);
                    true
                })
            }),
            ("a result instead of pending", |case| {
                change(case, never_pending)
            }),
            ("another kind of error", |case| change(case, wrong_error)),
            ("the end", |case| {
                let failed = case.steps.iter().position(|step| step.op == "exc");
                let compared = failed.unwrap_or(case.steps.len());
                case.steps[..compared].last_mut().is_some_and(|step| {
                    step.eof = !step.eof;
                    true
                })
            }),
        ];
        for (name, change) in changes {
            let changed: Vec<Case> = cases
                .iter()
                .cloned()
                .filter_map(|mut case| change(&mut case).then_some(case))
                .collect();
            let missed = changed
                .iter()
                .filter(|case| replay::replay(case, &mut pieces(1)).is_ok())
                .count();
            assert!(
                !changed.is_empty() && missed == 0,
                "{name}: {missed} of {} not noticed",
                changed.len()
            );
        }
    }
}

fn replay_all(cases: &[Case], pieces: impl Fn(usize) -> Pieces) {
    let mut failures = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        if let Err(error) = replay::replay(case, &mut pieces(number)) {
            failures.push(format!("case {number}, limit {}: {error}", case.limit));
        }
    }
    let shown = failures
        .iter()
        .take(10)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{shown}",
        failures.len(),
        cases.len()
    );
}

/// Returns the cases to replay.
fn given() -> Vec<Case> {
    let path = env::var_os("STREAMREADER_VECTORS");
    load(path.as_deref().map_or(Path::new(VECTORS), Path::new))
}

fn load(path: &Path) -> Vec<Case> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Case> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!cases.is_empty(), "{}: no cases", path.display());
    cases
}

/// Changes the first outcome that `how` can change; returns whether there was one. Outcomes after a failure are not
/// compared, so they are left out.
fn change(case: &mut Case, how: fn(&mut Outcome) -> bool) -> bool {
    let outcomes = case
        .steps
        .iter_mut()
        .take_while(|step| step.op != "exc" && step.op != "readline-while-pending");
    outcomes
        .flat_map(|step| step.done.iter_mut().chain(&mut step.now))
        .any(how)
}

fn wrong_byte(outcome: &mut Outcome) -> bool {
    let Outcome::Bytes { ok } = outcome else {
        return false;
    };
    match ok.last_mut() {
        Some(byte) => *byte ^= 1,
        None => ok.push(0),
    }
    true
}

fn never_pending(outcome: &mut Outcome) -> bool {
    let pending = matches!(outcome, Outcome::Pending(_));
    if pending {
        *outcome = Outcome::Bytes { ok: Vec::new() };
    }
    pending
}

fn wrong_error(outcome: &mut Outcome) -> bool {
    let Outcome::Error(error) = outcome else {
        return false;
    };
    error.err = if error.err == "incomplete" {
        "stream-exception"
    } else {
        "incomplete"
    }
    .to_owned();
    error.partial.get_or_insert_default();
    true
}
