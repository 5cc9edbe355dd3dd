//! Time, cancelling, errors, garbage, pending calls: the topics of `tests/python/programs/behaviour.py`.

use asyncio_streams_tests::native::output;
use asyncio_streams_tests::python::sides;

use crate::{DEADLINE, assert_same};

fn same(matter: &str) {
    let Some(sides) = sides() else { return };
    let given = sides.map(|side| {
        output(side.command("behaviour").arg(matter), DEADLINE)
            .unwrap_or_else(|error| panic!("{matter} by {side:?}: {error}"))
    });
    assert_same(matter, given);
}

macro_rules! matters {
    ($($name:ident $matter:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            same($matter);
        })*

        /// A topic without a test would look like one that passes.
        #[test]
        fn every_matter_has_its_test() {
            let source = asyncio_streams_tests::python::source("behaviour");
            let text = std::fs::read_to_string(source).expect("the program");
            let (_, list) = text.split_once("matters = [").expect("its list");
            let (list, _) = list.split_once("await").expect("its end");
            let names: Vec<_> = list
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|word| !word.is_empty() && *word != "matters")
                .map(|word| word.replace('_', "-"))
                .collect();
            assert_eq!(names, [$($matter),*]);
        }
    };
}

matters! {
    time_passes "clock",
    cancelled_reads_lose_nothing "cancelled-reads",
    one_cancelled_drain_leaves_nine "cancelled-drains",
    a_cancelled_server_frees_its_place "cancelled-servers",
    cancelled_connects_leave_nothing_behind "cancelled-connects",
    crowds_come_and_go_at_once "crowds",
    failures_have_their_types "failures",
    resets_are_errors "resets",
    ends_are_told "ends",
    garbage_may_be_collected_at_any_moment "garbage",
    exceptions_that_nobody_retrieves_are_reported "reported",
    leaving_with_everything_pending_is_clean "pending",
    mistakes_are_exceptions "bad-input",
    a_loop_within_the_loop_is_refused "nested",
    protocols_act_in_their_callbacks "protocols",
    a_paused_connection_hears_of_its_loss_when_it_writes "paused",
}
