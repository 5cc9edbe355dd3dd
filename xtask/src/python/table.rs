//! The table of CPython's tests, for the documentation.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};

use super::outcome::{Outcome, Pair};
use crate::checkout;

/// What stands before the table, and behind it.
const BEGIN: &str = "<!-- results: `cargo xtask test-python --publish` writes them -->\n";
const END: &str = "<!-- end of results -->";

/// A row for each class of tests, then what did not pass.
pub(super) fn markdown(from: &str, pairs: &[Pair]) -> String {
    let mut text = format!(
        "The tests are those of {from}.\n\n\
         | class | tests | passed, asyncio's own | passed, ours | skipped, both |\n|---|--:|--:|--:|--:|\n"
    );
    let mut classes: Vec<&str> = pairs.iter().map(|pair| class(&pair.name)).collect();
    classes.dedup();
    for of in classes.iter().copied().map(Some).chain([None]) {
        let chosen: Vec<_> = pairs
            .iter()
            .filter(|pair| of.is_none_or(|of| class(&pair.name) == of))
            .collect();
        let count = |fits: fn(&Pair) -> bool| chosen.iter().filter(|pair| fits(pair)).count();
        let name = of.map_or("all".to_owned(), |of| format!("`{of}`"));
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} |",
            chosen.len(),
            count(|pair| pair.stock == Outcome::Passed),
            count(|pair| pair.ours == Outcome::Passed),
            count(|pair| matches!(
                (&pair.stock, &pair.ours),
                (Outcome::Skipped(_), Outcome::Skipped(_))
            )),
        );
    }
    text.push_str("\n| test | asyncio's own | ours |\n|---|---|---|\n");
    for Pair { name, stock, ours } in pairs {
        if (stock, ours) != (&Outcome::Passed, &Outcome::Passed) {
            let _ = writeln!(text, "| `{name}` | {} | {} |", word(stock), word(ours));
        }
    }
    text
}

/// Puts the table into docs/python.md.
///
/// # Errors
/// When it cannot be read or written, or has no place for it.
pub(super) fn publish(table: &str) -> Result<()> {
    let file = checkout::root().join("docs/python.md");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("docs/python.md has no place for results")?;
    let (_, after) = rest
        .split_once(END)
        .context("docs/python.md has no place for results")?;
    fs::write(&file, format!("{before}{BEGIN}\n{table}\n{END}{after}"))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn class(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(class, _)| class)
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Skipped(reason) => format!("skipped: {}", reason.replace('|', "\\|")),
        Outcome::Failed(_) => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_counted_and_what_did_not_pass_is_named() {
        let pair = |name: &str, stock, ours| Pair {
            name: name.to_owned(),
            stock,
            ours,
        };
        let skipped = Outcome::Skipped("No ssl module".to_owned());
        let pairs = [
            pair("a.A.one", Outcome::Passed, Outcome::Passed),
            pair("a.A.two", skipped.clone(), skipped),
            pair(
                "b.B.one",
                Outcome::Failed("why".to_owned()),
                Outcome::Passed,
            ),
        ];
        let text = markdown("CPython 3", &pairs);
        for row in [
            "| `a.A` | 2 | 1 | 1 | 1 |",
            "| `b.B` | 1 | 0 | 1 | 0 |",
            "| all | 3 | 1 | 2 | 1 |",
            "| `a.A.two` | skipped: No ssl module | skipped: No ssl module |",
            "| `b.B.one` | failed | passed |",
        ] {
            assert!(text.contains(row), "{text}");
        }
        assert!(!text.contains("a.A.one"));
    }
}
