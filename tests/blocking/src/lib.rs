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
mod naming;
mod not_waiting;
mod protecting;
mod reading;
mod serving;
mod states;
mod subscribing;
mod traces;
mod waiting;
mod watching;
mod wrapping;
mod writing;

use bindings::wasi02::wasi::cli::environment::get_arguments;
use checks::{Check, Node, Result, complain, say};

struct Program;

bindings::wasi02::export!(Program with_types_in bindings::wasi02);

/// All checks, in the order in which they run. Those that expect `not-supported` come before those that leave connections to
/// peers that take nothing.
const ALL: [&[Check]; 14] = [
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
    states::CHECKS,
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

/// Those that end the program, need another component, or wait for what others leave behind.
const BY_THEMSELVES: [&Check; 8] = [
    &connecting::DENIED,
    &dropping::ABANDONED,
    &dropping::FORGOTTEN,
    &ending::LINGERING,
    &serving::KEPT_ALIVE,
    &subscribing::READER_FIRST,
    &protecting::SERVER,
    &protecting::CLIENT,
];

fn run(arguments: &[String]) -> Result {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["names", group] = arguments[..] {
        for check in chosen(&[group])? {
            say(check.name);
        }
        return Ok(());
    }
    let Some((port, names)) = arguments.split_first() else {
        return Err("arguments: the peer's port, and the names of checks".into());
    };
    let Ok(port) = port.parse() else {
        return Err(format!("{port:?} is no port").into());
    };
    let mut failed = Vec::new();
    for check in chosen(names)? {
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

/// Returns the checks of a group, or those with these names. Without names, they are those of `ALL`.
fn chosen(names: &[&str]) -> Result<Vec<&'static Check>> {
    let groups = ALL.into_iter().chain(ENDS).chain([naming::CHECKS]);
    let all = groups.flatten().chain(BY_THEMSELVES);
    let node = |node| Ok(all.clone().filter(|check| check.node == node).collect());
    match names {
        [] => return Ok(ALL.into_iter().flatten().collect()),
        ["all"] => return Ok(all.collect()),
        ["ends"] => return Ok(ENDS.into_iter().flatten().collect()),
        ["node-quick"] => return node(Node::Quick),
        ["node-slow"] => return node(Node::Slow),
        ["node-alone"] => return node(Node::Alone),
        ["node-differs"] => return node(Node::Differs),
        _ => {}
    }
    let of_name = |name: &&str| {
        let found = all.clone().find(|check| check.name == *name);
        found.ok_or_else(|| format!("there is no check {name:?}").into())
    };
    names.iter().map(of_name).collect()
}
