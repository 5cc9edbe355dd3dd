//! `cargo xtask test-python`: CPython's own tests of asyncio's streams inside a component, with asyncio's own streams and with ours.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::outcome::{Outcome, Pair};
use super::{Interpreter, Program, Programs, cpython, machine, table};
use crate::process::Running;
use crate::steps::Tally;
use crate::toolchain::Choice;
use crate::{build, checkout};

/// The program that runs one of the tests, with the modules that it needs.
const FOLDER: &str = "tests/python/cpython";

/// The process beside it, for what the tests do in threads.
const OUTSIDE: &str = "tests/python/cpython/outside.py";

/// So many pass with asyncio's own streams; when it is fewer, it is the surroundings that fail, and nothing is proven.
const LEAST: usize = 70;

/// A test gives up after a minute; this is for one that never waits.
const DEADLINE: Duration = Duration::from_secs(90);

#[derive(Args)]
pub(crate) struct Options {
    /// Run the tests whose names contain this only.
    #[arg(long, conflicts_with = "publish")]
    only: Option<String>,
    /// Put the table into docs/python.md.
    #[arg(long)]
    publish: bool,
}

/// Builds, runs CPython's tests on both sides, and prints the table. Where there is no Python, or no tests of CPython's, it
/// says so and that is all.
///
/// # Errors
/// When asyncio's own streams pass a test that ours do not, or something does not build.
pub(crate) fn test_python(choice: Choice, options: &Options) -> Result<()> {
    build::build(choice)?;
    let tests = match needed() {
        Ok(needed) => needed,
        Err(error) => {
            println!("LEFT OUT: {error:#}");
            return Ok(());
        }
    };
    let pairs = run(&tests, options.only.as_deref().unwrap_or_default())?;
    if options.only.is_none() {
        check_stock(&pairs)?;
    }
    let markdown = table::markdown(&tests.from, &pairs);
    println!("\n{markdown}");
    if options.publish {
        table::publish(&markdown)?;
    }
    judge(&pairs, &mut Tally::default())
}

/// The same for the tests of everything, the components being built.
///
/// # Errors
/// As above; also, when `required`, where there is no Python.
pub(crate) fn compare(required: bool, tally: &mut Tally) -> Result<()> {
    match needed() {
        Ok(tests) => {
            let pairs = run(&tests, "")?;
            check_stock(&pairs)?;
            judge(&pairs, tally)
        }
        Err(error) if required => Err(error),
        Err(error) => {
            eprintln!("\n!!! Left out: {error:#}");
            tally.skipped += 1;
            Ok(())
        }
    }
}

/// What it takes.
struct Needed {
    /// For the process beside the component.
    stock: Interpreter,
    programs: Programs,
    tests: cpython::Tests,
    from: String,
}

fn needed() -> Result<Needed> {
    // First what is not downloaded.
    let stock = machine::stock()?;
    let tests = cpython::get()?;
    Ok(Needed {
        stock,
        programs: Programs::get()?,
        from: tests.from.clone(),
        tests,
    })
}

fn run(needed: &Needed, only: &str) -> Result<Vec<Pair>> {
    let program = Program {
        modules: vec![FOLDER.into(), needed.tests.folder.clone()],
        ..Program::new(Path::new(FOLDER).join("main.py"))
    };
    let component = Component {
        wasmtime: needed.programs.wasmtime().to_owned(),
        compiled: needed.programs.compiled_as("cpython-tests", &program)?,
        outside: Outside::start(&needed.stock)?,
    };
    let mut pairs = Vec::new();
    for name in component.names()? {
        if !name.contains(only) {
            continue;
        }
        let stock = component.outcome("stock", &name)?;
        let ours = component.outcome("ours", &name)?;
        let pair = Pair { name, stock, ours };
        println!(
            "{}{}",
            if pair.complaint().is_some() {
                "!!! "
            } else {
                ""
            },
            pair.name
        );
        pairs.push(pair);
    }
    Ok(pairs)
}

fn judge(pairs: &[Pair], tally: &mut Tally) -> Result<()> {
    let complaints: Vec<String> = pairs.iter().filter_map(Pair::complaint).collect();
    let count =
        |fits: fn(&Outcome) -> bool| pairs.iter().filter(|pair| fits(&pair.ours)).count() as u64;
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let (passed, failed) = (
        count(|outcome| *outcome == Outcome::Passed),
        complaints.len() as u64,
    );
    tally.passed += passed;
    tally.failed += failed;
    tally.skipped += skipped;
    println!(
        "CPython's tests of asyncio's streams: {passed} passed, {skipped} skipped, {failed} fail with ours alone"
    );
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n\n"));
    }
    Ok(())
}

/// Whether the tests say anything: asyncio's own streams pass them.
fn check_stock(pairs: &[Pair]) -> Result<()> {
    let passed = pairs
        .iter()
        .filter(|pair| pair.stock == Outcome::Passed)
        .count();
    if passed >= LEAST {
        return Ok(());
    }
    let failed = pairs.iter().filter_map(|pair| match &pair.stock {
        Outcome::Failed(said) => Some(format!("{}:\n{said}", pair.name)),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    bail!(
        "with asyncio's own streams only {passed} tests pass, of {LEAST} at least\n{}",
        failed.join("\n\n")
    )
}

/// The compiled component, and who is beside it.
struct Component {
    wasmtime: PathBuf,
    compiled: PathBuf,
    outside: Outside,
}

impl Component {
    /// What it prints on both outputs, and whether it ended well.
    fn said(&self, arguments: &[&str]) -> Result<(Vec<String>, bool)> {
        let mut command = checkout::clean("sh");
        // One output for both: tracebacks belong to what is printed.
        command
            .args(["-c", "exec \"$@\" 2>&1", "sh"])
            .arg(&self.wasmtime);
        command.args(["run", "--allow-precompiled"]);
        command.args(["-S", "inherit-network", "-S", "allow-ip-name-lookup"]);
        for variable in &self.outside.variables {
            command.args(["--env", variable]);
        }
        command.arg(&self.compiled).args(arguments);
        let what = format!("CPython's test {}", arguments.join(" "));
        let mut running = Running::start(command.stdout(Stdio::piped()), &what, DEADLINE)?;
        let mut lines = Vec::new();
        loop {
            match running.next_line() {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => break,
                // Its deadline.
                Err(error) => {
                    lines.push(format!("{error:#}"));
                    return Ok((lines, false));
                }
            }
        }
        let status = running.finish()?;
        if !status.success() {
            lines.push(format!("{status}"));
        }
        Ok((lines, status.success()))
    }

    /// The names of the tests.
    fn names(&self) -> Result<Vec<String>> {
        let (lines, well) = self.said(&["list"])?;
        if !well || lines.is_empty() {
            bail!(
                "the component does not name its tests:\n{}",
                lines.join("\n")
            );
        }
        Ok(lines)
    }

    /// One test on one side.
    fn outcome(&self, side: &str, name: &str) -> Result<Outcome> {
        let (lines, well) = self.said(&[side, name])?;
        Ok(Outcome::of(&lines, well))
    }
}

/// The process beside the component. Dropping it ends it.
struct Outside {
    /// Its addresses, as variables of the environment.
    variables: Vec<String>,
    _running: Running,
}

impl Outside {
    fn start(python: &Interpreter) -> Result<Self> {
        let mut command = checkout::clean(&python.program);
        command
            .arg(checkout::root().join(OUTSIDE))
            .stdout(Stdio::piped());
        let what = "the process beside CPython's tests";
        let mut running = Running::start(&mut command, what, Duration::MAX)?;
        let mut variables = Vec::new();
        while variables.len() < 3 {
            let line = running.next_line()?;
            variables.push(line.with_context(|| format!("{what} ended before it listened"))?);
        }
        Ok(Self {
            variables,
            _running: running,
        })
    }
}
