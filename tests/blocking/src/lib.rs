//! Checks of calls that block: a program of WASI 0.2 that says what is wrong.

mod aborting;
mod bindings;
mod bulk;
mod checks;
mod closing;
mod connecting;
mod contract;
mod dropped_sides;
mod dropping;
mod ending;
mod idling;
mod not_waiting;
mod protecting;
mod reading;
mod serving;
mod subscribing;
mod traces;
mod waiting;
mod watching;
mod wrapping;
mod writing;

use bindings::wasi02::wasi::cli::environment::get_arguments;
use checks::{Check, Result, complain, say};

struct Program;

bindings::wasi02::export!(Program with_types_in bindings::wasi02);

/// All checks, in the order in which they run. Those that expect `not-supported` come before those that leave connections to
/// peers that take nothing.
const ALL: [&[Check]; 13] = [
    connecting::CHECKS,
    serving::CHECKS,
    reading::CHECKS,
    writing::CHECKS,
    bulk::CHECKS,
    ending::CHECKS,
    waiting::CHECKS,
    watching::CHECKS,
    dropping::CHECKS,
    wrapping::CHECKS,
    subscribing::CHECKS,
    contract::CHECKS,
    traces::CHECKS,
];

/// The checks of ends in all ways, under the name `ends`: a program of their own, since they leave many connections behind.
const ENDS: [&[Check]; 5] = [
    closing::CHECKS,
    idling::CHECKS,
    not_waiting::CHECKS,
    dropped_sides::CHECKS,
    aborting::CHECKS,
];

impl bindings::wasi02::exports::wasi::cli::run::Guest for Program {
    fn run() -> std::result::Result<(), ()> {
        let arguments = get_arguments();
        let arguments = arguments.get(1..).unwrap_or_default();
        match run(arguments) {
            Ok(()) => Ok(()),
            Err(failure) => {
                complain(&failure.0);
                Err(())
            }
        }
    }
}

fn run(arguments: &[String]) -> Result {
    let Some((port, names)) = arguments.split_first() else {
        return Err("arguments: the peer's port, and the names of checks".into());
    };
    let Ok(port) = port.parse() else {
        return Err(format!("{port:?} is no port").into());
    };
    let mut checks: Vec<&Check> = ALL.into_iter().flatten().collect();
    if names == ["ends"] {
        checks = ENDS.into_iter().flatten().collect();
    } else if !names.is_empty() {
        checks.extend(ENDS.into_iter().flatten());
        checks.extend([
            &connecting::DENIED,
            &dropping::ABANDONED,
            &subscribing::READER_FIRST,
            &protecting::SERVER,
            &protecting::CLIENT,
        ]);
        if let Some(unknown) = names
            .iter()
            .find(|name| !checks.iter().any(|check| check.name == **name))
        {
            return Err(format!("there is no check {unknown:?}").into());
        }
        checks.retain(|check| names.iter().any(|name| name == check.name));
    }
    let mut failed = Vec::new();
    for check in checks {
        match (check.run)(port) {
            Ok(()) => say(&format!("ok {}", check.name)),
            Err(failure) => failed.push(format!("{}: {}", check.name, failure.0)),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n").into())
    }
}
