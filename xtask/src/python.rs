//! Starts the automation of programs in Python, which is in Python too: `tests/python/automation`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::steps::Tally;
use crate::{checkout, process, tools};

/// The folder in which Python finds the package `automation`.
const FOLDER: &str = "tests/python";

/// CPython's tests take ten minutes on a busy machine, and the programs with packages half an hour; each step in them has a shorter
/// deadline.
const DEADLINE: Duration = Duration::from_secs(3 * 60 * 60);

/// The exit status of a command that needs something that this machine cannot get.
const LEFT_OUT: i32 = 77;

/// Runs a command of the automation as a step of the tests, and returns the lines that it prints. It counts the command's checks, or
/// that it was left out.
///
/// # Errors
/// When the command fails; also, if `required`, when it is left out.
pub(crate) fn step(
    arguments: &[&str],
    required: bool,
    tally: &mut Tally,
) -> Result<Option<Vec<String>>> {
    let printed = run(arguments)?;
    match &printed {
        Some(lines) => lines.iter().for_each(|line| tally.add_line(line)),
        None if required => {
            bail!("a part of the tests in Python cannot run here, and nothing may be left out")
        }
        None => tally.skipped += 1,
    }
    Ok(printed)
}

/// Runs a command of the automation, as `cargo xtask` does for other commands.
///
/// # Errors
/// When the command fails or is left out.
pub(crate) fn require(arguments: &[&str]) -> Result<()> {
    let printed = run(arguments)?;
    printed
        .context("a tool for Python is missing; the line above names it")
        .map(drop)
}

/// Runs a command of the automation, the first of `arguments`, shows the lines of its standard output, and returns them. Returns nothing,
/// with a message, when the command needs something that is missing here, such as Python or a package registry.
///
/// # Errors
/// When the command fails.
pub fn run(arguments: &[&str]) -> Result<Option<Vec<String>>> {
    let Some(python) = interpreter() else {
        eprintln!("\n!!! Left out: there is no Python 3.10 or later on PATH");
        return Ok(None);
    };
    let mut command = checkout::clean(python);
    command.args(["-m", "automation"]).args(arguments);
    command.current_dir(checkout::root().join(FOLDER));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("PYTHONUNBUFFERED", "1");
    let composes = ["build", "test", "demo", "bench-peer", "compare"];
    if composes.contains(&arguments[0]) {
        command.env("WASMTIME", tools::WASMTIME.get()?);
        command.env("WAC", tools::WAC.get()?);
    }
    command.stdout(std::process::Stdio::piped());
    let what = format!("the automation in Python ({})", arguments.join(" "));
    let mut running = process::Running::start(&mut command, &what)?.within(DEADLINE);
    let mut printed = Vec::new();
    while let Some(line) = running.next_line()? {
        println!("{line}");
        printed.push(line);
    }
    let status = running.finish()?;
    match status.code() {
        Some(0) => Ok(Some(printed)),
        Some(LEFT_OUT) => {
            eprintln!("\n!!! Left out: {what}, for the reason above");
            Ok(None)
        }
        _ => bail!("{what} failed ({status})"),
    }
}

/// A Python that runs the automation.
fn interpreter() -> Option<PathBuf> {
    let names = [
        "python3",
        "python3.14",
        "python3.13",
        "python3.12",
        "python3.11",
    ];
    let mut found = names.iter().filter_map(|name| checkout::on_path(name));
    found.find(|python| {
        let fits = "import sys; sys.exit(sys.version_info < (3, 10))";
        process::output_of(checkout::clean(python).args(["-c", fits])).is_some()
    })
}

/// The folder of the compiled components of programs.
pub(crate) fn folder() -> PathBuf {
    checkout::target().join("python/programs")
}

/// The value of `NAME=value`, a line of the automation's output.
///
/// # Errors
/// When no line has it.
pub fn value<'a>(lines: &'a [String], name: &str) -> Result<&'a str> {
    lines
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .with_context(|| format!("the automation in Python did not print {name}"))
}
