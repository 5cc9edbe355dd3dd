//! The table of differences, and that of its tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use asyncio_streams_tests::{In, Program};

/// The rows of what does not exist, which the package itself shows.
const ABSENT: [&str; 2] = [
    "`cancel`",
    "`into-stream`, `write-stream`, `sockets`, `numbers`, `latin1`, `handler`, `unix`, `signals`",
];

/// Returns the rows of the table that begins with this line, after its title.
fn table(file: &str, header: &str) -> Vec<Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = fs::read_to_string(&file).expect("a document");
    let rows = text.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(!rows.is_empty(), "{} has no table {header}", file.display());
    let cells = |row: &str| -> Vec<String> {
        let row = row.trim_matches('|');
        row.split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.into_iter().map(cells).collect()
}

#[test]
fn each_difference_names_its_checks() {
    let differences = table("wit/README.md", "| | `streams` | `blocking` |");
    let tests = table("tests/blocking/README.md", "| row | checks |");
    let of = |rows: &[Vec<String>]| -> Vec<_> { rows.iter().map(|row| row[0].clone()).collect() };
    let mut expected = of(&differences);
    expected.retain(|row| !ABSENT.contains(&row.as_str()));
    assert_eq!(of(&tests), expected);

    let names = Program::blocking("blocking").args(["names", "all"]);
    let names = names.run(In::CallAsync).assert_success().stdout;
    let names: BTreeSet<&str> = names.lines().collect();
    for row in &tests {
        let checks: Vec<_> = row[1]
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        assert!(!checks.is_empty(), "{}: no check", row[0]);
        for check in checks {
            assert!(
                names.contains(check),
                "{}: there is no check {check}",
                row[0]
            );
        }
    }
}
