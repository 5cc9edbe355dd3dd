//! `cargo xtask test`: every test there is.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::steps::{Steps, Tally};
use crate::toolchain::Choice;
use crate::{build, by_hand, checkout, demo, process, tools};

/// One run of cargo's test runner, compiling included.
const DEADLINE: Duration = Duration::from_secs(45 * 60);

#[derive(Default, Args)]
pub(crate) struct Options {
    /// Leave out the tests under the real `wasmtime` program, when it is not there and cannot be built.
    #[arg(long)]
    without_wasmtime: bool,
}

/// Builds, then runs every test, those after a failed one too.
///
/// # Errors
/// When a test fails, or something that the tests need cannot be had.
pub(crate) fn test(choice: Choice, options: &Options) -> Result<()> {
    let mut steps = Steps::new(false);
    if steps
        .run("the components", |_| build::build(choice))
        .is_some()
    {
        tests(&mut steps, options);
    }
    let done = steps.finish();
    if options.without_wasmtime {
        println!("LEFT OUT, as asked: every test under the real wasmtime program");
    }
    done
}

/// The steps after the build, for `ci` too.
pub(crate) fn tests(steps: &mut Steps, options: &Options) {
    steps.run("tests of the automation", |tally| {
        cargo_test(&["--release", "--package", "xtask"], tally, None)
    });
    steps.run("tests of the core", |tally| {
        cargo_test(&["--package", "asyncio-streams-core"], tally, None)
    });
    steps.run("tests of the host crate", |tally| {
        cargo_test(
            &["--release", "--package", "asyncio-streams-host"],
            tally,
            None,
        )
    });
    let components = &["--release", "--package", "asyncio-streams-tests"];
    if options.without_wasmtime {
        eprintln!("\n!!! Left out, as asked: every test under the real wasmtime program");
        steps.run("tests of the components", |tally| {
            cargo_test(components, tally, None)
        });
        return;
    }
    let wasmtime = steps.run("the program wasmtime", |_| tools::WASMTIME.get());
    let wac = steps.run("the program wac", |_| tools::WAC.get());
    if let (Some(wasmtime), Some(wac)) = (wasmtime, wac) {
        steps.run("tests of the components", |tally| {
            cargo_test(components, tally, Some(&wasmtime))
        });
        steps.run("the lines that the demo prints", |_| {
            by_hand::run(&wac, &wasmtime)
        });
    }
    steps.run("the demo", |_| demo::run());
}

/// Runs cargo's test runner, and counts what it says.
fn cargo_test(arguments: &[&str], tally: &mut Tally, wasmtime: Option<&Path>) -> Result<()> {
    let mut command: Command = checkout::native_cargo("test");
    // Every binary is run, also after one with a failure.
    command.args(arguments).arg("--no-fail-fast");
    if let Some(wasmtime) = wasmtime {
        command.env("WASMTIME", wasmtime);
    }
    process::run_reading(&mut command, "`cargo test`", DEADLINE, |line| {
        println!("{line}");
        tally.add_line(line);
    })
}
