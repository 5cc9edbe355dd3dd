//! Runs the test binaries of several packages: a few at once, but those that measure one at a time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{num, thread};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::steps::Tally;
use crate::{cargo, checkout, process};

/// Binaries that measure time, memory or descriptors. They run one at a time, after the others.
const ALONE: [&str; 6] = [
    "faults_descriptors",
    "load",
    "memory",
    "process_memory",
    "segments",
    "soak",
];

/// A compiled test binary.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Binary {
    /// The name of its target: that of the file in `tests/`, or of the crate.
    name: String,
    program: PathBuf,
    /// The folder of its package.
    folder: PathBuf,
}

/// Compiles the test binaries that `build` names (`cargo test ...`), runs all of them, and counts their tests.
///
/// # Errors
/// When one does not compile, or fails; the others still run.
pub(crate) fn run(
    mut build: Command,
    variables: &[(&str, PathBuf)],
    tally: &mut Tally,
) -> Result<()> {
    build.args(["--no-run", "--message-format", cargo::MESSAGES]);
    let messages = cargo::artifacts(&mut build, "compiling the tests")?;
    let binaries = messages.iter().filter_map(binary);
    let (alone, others): (Vec<_>, Vec<_>) =
        binaries.partition(|binary| ALONE.contains(&binary.name.as_str()));
    let cores = thread::available_parallelism().map_or(1, num::NonZero::get);
    let mut failed = run_all(others, cores + 1, variables, tally);
    failed.extend(run_all(alone, 1, variables, tally));
    let names = failed.join(", ");
    ensure!(failed.is_empty(), "these test binaries failed: {names}");
    Ok(())
}

/// The test binary in one of cargo's messages.
fn binary(message: &Value) -> Option<Binary> {
    (message["profile"]["test"] == true).then_some(())?;
    Some(Binary {
        name: message["target"]["name"].as_str()?.to_owned(),
        program: message["executable"].as_str()?.into(),
        folder: Path::new(message["manifest_path"].as_str()?)
            .parent()?
            .to_owned(),
    })
}

/// Runs binaries, `at_once` at a time, and prints the output of each at its end. Returns the names of those that
/// failed.
fn run_all(
    binaries: Vec<Binary>,
    at_once: usize,
    variables: &[(&str, PathBuf)],
    tally: &mut Tally,
) -> Vec<String> {
    let queue = Mutex::new(binaries.into_iter());
    let (sender, ended) = channel();
    thread::scope(|scope| {
        for _ in 0..at_once {
            let (sender, queue) = (sender.clone(), &queue);
            scope.spawn(move || {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(binary) = next() {
                    let started = Instant::now();
                    let (lines, result) = output(&binary, variables);
                    // The receiver outlives this thread.
                    let _ = sender.send((binary.name, started.elapsed(), lines, result));
                }
            });
        }
        drop(sender);
        let mut failed = Vec::new();
        for (name, took, lines, result) in ended {
            println!("\n--- {name} ({:.1} s)", took.as_secs_f64());
            for line in &lines {
                println!("{line}");
                tally.add_line(line);
            }
            if let Err(error) = result {
                println!("!!! {error:#}");
                failed.push(name);
            }
        }
        failed
    })
}

/// Returns the lines that a binary prints, and its result.
fn output(binary: &Binary, variables: &[(&str, PathBuf)]) -> (Vec<String>, Result<()>) {
    // As cargo runs it; with one output for both streams, so that each message stays with its test.
    let mut command = checkout::clean("sh");
    command
        .args(["-c", "exec \"$@\" 2>&1", "sh"])
        .arg(&binary.program)
        .current_dir(&binary.folder)
        .env("CARGO_MANIFEST_DIR", &binary.folder)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let mut lines = Vec::new();
    let result = process::run_reading(&mut command, &binary.name, |line| {
        lines.push(line.to_owned())
    });
    (lines, result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"manifest_path":"/c/tests/Cargo.toml","target":{"name":"load"},
        "profile":{"test":true},"executable":"/t/load-1"}"#;

    #[test]
    fn only_test_binaries_run() {
        let expected = Binary {
            name: "load".into(),
            program: "/t/load-1".into(),
            folder: "/c/tests".into(),
        };
        let mut message = serde_json::from_str(MESSAGE).expect("a message");
        assert_eq!(binary(&message), Some(expected));
        message["profile"]["test"] = false.into();
        assert_eq!(binary(&message), None);
    }

    #[test]
    fn a_binary_that_fails_is_named_and_the_others_run() {
        let binary = |program: &str| Binary {
            name: program.into(),
            program: format!("/bin/{program}").into(),
            folder: "/".into(),
        };
        let mut tally = Tally::default();
        let failed = run_all(vec![binary("false"), binary("true")], 2, &[], &mut tally);
        assert_eq!(failed, ["false"]);
    }

    #[test]
    fn binaries_that_run_alone_exist() {
        for name in ALONE {
            let file = checkout::root().join(format!("tests/tests/{name}.rs"));
            assert!(file.is_file(), "{}", file.display());
        }
    }
}
