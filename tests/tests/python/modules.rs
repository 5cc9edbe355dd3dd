//! Modules, data and metadata that a program first uses at run time: `tests/python/programs/modules.py`.

use asyncio_streams_tests::native::output;
use asyncio_streams_tests::python::sides;

use crate::{DEADLINE, assert_same};

fn same(matter: &str) {
    let Some(sides) = sides() else { return };
    let given = sides.map(|side| {
        output(side.command("modules").arg(matter), DEADLINE)
            .unwrap_or_else(|error| panic!("{matter} by {side:?}: {error}"))
    });
    assert_same(matter, given);
}

#[test]
fn modules_are_imported_when_the_program_runs() {
    same("lazily");
}

#[test]
fn data_and_metadata_of_packages_are_read() {
    same("data");
}

#[test]
fn tracebacks_have_files_and_lines() {
    same("lines");
}
