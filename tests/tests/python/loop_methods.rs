//! The loop's methods beside the streams: the topics of `tests/python/programs/loop.py`; libraries that run a loop;
//! signals, locks of threads, and standard input and output.

use std::io::Write as _;

use asyncio_streams_tests::native::output;
use asyncio_streams_tests::python::sides;

use crate::{DEADLINE, assert_same};

fn same(program: &str, arguments: &[&str]) {
    let Some(sides) = sides() else { return };
    let given = sides.map(|side| {
        output(side.command(program).args(arguments), DEADLINE)
            .unwrap_or_else(|error| panic!("{program} {arguments:?} by {side:?}: {error}"))
    });
    assert_same(program, given);
}

macro_rules! matters {
    ($($name:ident $matter:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            same("loop", &[$matter]);
        })*

        /// A topic without a test would look like one that passes.
        #[test]
        fn every_matter_of_the_loop_has_its_test() {
            let source = asyncio_streams_tests::python::source("loop");
            let text = std::fs::read_to_string(source).expect("the program");
            let (_, list) = text.split_once("matters = [").expect("its list");
            let (list, _) = list.split_once(']').expect("its end");
            let names = list.split(", ").map(|word| word.replace('_', "-"));
            let names: Vec<_> = names.chain(["top-level".to_owned()]).collect();
            assert_eq!(names, [$($matter),*]);
        }
    };
}

matters! {
    functions_for_threads_run_at_once "executor",
    an_executor_of_the_programs_own_is_used "own-executor",
    a_listening_socket_watched_for_writing_makes_none_ready "ready",
    sockets_of_pythons_own_are_waited_for "sockets",
    connections_over_accepted_sockets "accepted",
    connections_are_handed_out_before_their_input "handed-out",
    datagrams_are_exchanged "datagrams",
    a_file_is_sent "sendfile",
    no_method_fails_without_a_text "methods",
    functions_for_unix_sockets_exist "unix",
    sockets_of_the_unix_family_exist "unix-family",
    arguments_have_asyncios_shapes "arguments",
    no_loop_runs_at_the_top_level "top-level",
}

#[test]
fn entry_points_of_libraries_run_a_loop_inside() {
    same("library-runs", &[]);
}

#[test]
fn handlers_of_signals_are_called() {
    same("signals", &["handlers"]);
}

#[test]
fn an_interrupt_cancels_the_main_task_and_ends_a_run() {
    same("signals", &["runs"]);
}

#[test]
fn a_signal_writes_to_the_wakeup_descriptor() {
    same("signals", &["wakeup"]);
}

#[test]
fn a_wait_for_a_lock_with_a_timeout_sleeps() {
    same("locks", &[]);
}

/// Natively these waits never end.
#[test]
fn a_wait_for_a_lock_without_a_timeout_is_an_error_with_a_reason() {
    let Some([_, component]) = sides() else {
        return;
    };
    let said = output(component.command("locks").arg("endless"), DEADLINE).expect("no trap");
    let errors: Vec<_> = said.lines().filter(|line| line.contains(": ")).collect();
    assert_eq!(errors.len(), 10, "{said}");
    for line in errors {
        assert!(
            line.contains("one thread") && line.contains("asyncio"),
            "{line}"
        );
    }
}

#[test]
fn pipes_change_their_protocols() {
    let Some(sides) = sides() else { return };
    let given = sides.map(|side| {
        let (input, mut given) = std::io::pipe().expect("a pipe");
        given.write_all(b"one\ntwo\n").expect("room in the pipe");
        drop(given);
        output(side.command("pipes").stdin(input), DEADLINE)
            .unwrap_or_else(|error| panic!("pipes by {side:?}: {error}"))
    });
    assert!(given[0].starts_with("ONE\nTWO\n"), "{}", given[0]);
    assert_same("pipes", given);
}
