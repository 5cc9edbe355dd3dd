//! Writes the results into the documents.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use xtask::checkout;

/// The marks before and after the results.
const BEGIN: &str = "<!-- results: `cargo xtask bench --publish` writes them -->\n";
const END: &str = "<!-- end of results -->";

/// Writes the tables to docs/benchmarks.md, the plot beside it, and the summary to the README.
///
/// # Errors
/// When a document cannot be read or written, or has no place for results.
pub(crate) fn publish(tables: &str, summary: &str, plot: &str) -> Result<()> {
    let docs = checkout::root().join("docs");
    fs::write(docs.join("benchmarks.svg"), plot).context("cannot write the plot")?;
    replace(&docs.join("benchmarks.md"), tables)?;
    replace(&checkout::root().join("README.md"), summary)
}

fn replace(file: &Path, results: &str) -> Result<()> {
    let name = checkout::shown(file);
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let new =
        with_results(&text, results).with_context(|| format!("{name} has no place for results"))?;
    fs::write(file, new).with_context(|| format!("cannot write {name}"))
}

fn with_results(text: &str, results: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!(
        "{before}{BEGIN}\n{}\n\n{END}{after}",
        results.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_marks_changes() {
        let text = format!("before\n{BEGIN}\nold\n\n{END}\nafter\n");
        let new = with_results(&text, "| new |\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\n| new |\n\n{END}\nafter\n"));
        assert_eq!(with_results(&new, "| new |").as_deref(), Some(new.as_str()));
        assert_eq!(with_results("no place", "| new |"), None);
    }

    #[test]
    fn the_documents_have_marks() {
        for file in ["README.md", "docs/benchmarks.md"] {
            let text = fs::read_to_string(checkout::root().join(file)).unwrap();
            assert!(with_results(&text, "new").is_some(), "{file}");
        }
    }
}
