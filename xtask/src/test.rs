//! `cargo xtask test`: every test there is.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::steps::{Steps, Tally};
use crate::toolchain::{Choice, Toolchain};
use crate::wasm::{self, What};
use crate::{bench, build, by_hand, checkout, demo, fuzz, process, python, readme, tools};

/// One run of cargo's test runner, compiling included.
const DEADLINE: Duration = Duration::from_secs(45 * 60);

const CORE: &str = "asyncio-streams-core";

/// What becomes WebAssembly, where it has tests of its own that run on the machine at hand.
const GUESTS: [&str; 3] = [
    "asyncio-streams",
    "asyncio-streams-component",
    "asyncio-streams-serve",
];

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the tests under the real `wasmtime` program, when it is not there and cannot be built.
    #[arg(long)]
    without_wasmtime: bool,
    /// Fail when a program that the tests talk to (redis, nginx and the like) cannot be had, instead of leaving its test out.
    #[arg(long)]
    require_peers: bool,
}

impl Options {
    /// Nothing is left out.
    pub(crate) fn of_ci() -> Self {
        Options {
            without_wasmtime: false,
            require_peers: true,
        }
    }
}

/// Builds, then runs every test, those after a failed one too.
///
/// # Errors
/// When a test fails, or something that the tests need cannot be had.
pub(crate) fn test(choice: Choice, options: &Options) -> Result<()> {
    let mut steps = Steps::new(false);
    if let Some(toolchain) = steps.run("the components", |_| build::build(choice)) {
        tests(&mut steps, &toolchain, options);
    }
    let done = steps.finish();
    if options.without_wasmtime {
        println!("LEFT OUT, as asked: every test under the real wasmtime program");
    }
    done
}

/// The steps after the build, for `ci` too.
pub(crate) fn tests(steps: &mut Steps, toolchain: &Toolchain, options: &Options) {
    steps.run("the tests' programs", |_| build::test_programs(toolchain));
    steps.run("tests of the automation", |tally| {
        cargo_test("xtask", &["--release"]).run(tally)
    });
    steps.run("tests of the benchmark", |tally| {
        let native = ["--package", "asyncio-streams-bench", "--release"];
        cargo_test("asyncio-streams-bench-plan", &native).run(tally)
    });
    steps.run("tests of the core", |tally| {
        let module = wasm::build(toolchain, CORE, What::Module("imports"))?;
        let module = module.first().context("cargo named no module")?;
        cargo_test(CORE, &[])
            .with("CORE_MODULE", &module.file)
            .run(tally)
    });
    fuzz::run(steps);
    for guest in GUESTS {
        steps.run(&format!("tests in {guest}"), |tally| {
            cargo_test(guest, &["--lib"]).run(tally)
        });
    }
    // What becomes streams-tls.wasm is built in another workspace, for WebAssembly alone.
    steps.run("tests in asyncio-streams-component with TLS", |tally| {
        cargo_test("asyncio-streams-component", &["--lib", "--features", "tls"]).run(tally)
    });
    steps.run("the guest crate's documentation", |tally| {
        cargo_test("asyncio-streams", &["--doc"]).run(tally)
    });
    steps.run("the demo", |_| demo::run());
    // Together, since each by itself would have wasmtime built again, with features that differ by a hair.
    let mut components = cargo_test(
        "asyncio-streams-host",
        &["--release", "--package", "asyncio-streams-tests"],
    );
    if options.require_peers {
        components = components.with("PEERS", Path::new("required"));
    }
    if options.without_wasmtime {
        eprintln!("\n!!! Left out, as asked: every test under the real wasmtime program");
        steps.run("tests of the host crate and of the components", |tally| {
            components.with("WASMTIME", Path::new("skip")).run(tally)
        });
    } else {
        let wasmtime = steps.run("the program wasmtime", |_| {
            let without = "`cargo xtask test --without-wasmtime` leaves out what needs it";
            tools::WASMTIME.get().context(without)
        });
        let wac = steps.run("the program wac", |_| tools::WAC.get());
        if let (Some(wasmtime), Some(wac)) = (wasmtime, wac) {
            let python = steps.run("programs in Python", |tally| {
                python_programs(options.require_peers, tally)
            });
            let python = python.flatten();
            if let Some(python) = &python {
                components = components
                    .with("PYTHON", &python.program)
                    .with("PYTHON_PROGRAMS", &python::folder());
            }
            steps.run("tests of the host crate and of the components", |tally| {
                components.with("WASMTIME", &wasmtime).run(tally)
            });
            if let Some(python) = &python {
                steps.run("the wheel for Python, and some packages", |tally| {
                    tally.passed += 1;
                    python::test_installed(python)
                });
            }
            let folders = [wac, wasmtime].map(|program| program.with_file_name(""));
            steps.run("the lines that the demo prints", |_| by_hand::run(&folders));
            steps.run("the lines of the README", |tally| {
                readme::run(&folders, python.is_some(), tally)
            });
            steps.run("CPython's tests of asyncio's streams", |tally| {
                python::compare(options.require_peers, tally)
            });
            steps.run("the benchmark, once and shortly", |_| {
                bench::smoke(toolchain)
            });
        }
    }
}

/// Makes components of the programs in Python, once the package's own tests pass. Gives the Python to compare with, or
/// nothing where there is none.
fn python_programs(required: bool, tally: &mut Tally) -> Result<Option<python::Interpreter>> {
    let found = python::stock().and_then(|stock| Ok((stock, python::Programs::get()?)));
    let (stock, programs) = match found {
        Ok(found) => found,
        Err(error) if required => return Err(error),
        Err(error) => {
            eprintln!("\n!!! Left out: {error:#}");
            tally.skipped += 1;
            return Ok(None);
        }
    };
    python::test_package(&stock)?;
    tally.passed += 1;
    let all = python::all();
    programs.compile_all(&all)?;
    tally.passed += all.len() as u64;
    python::demo::run(&programs)?;
    tally.passed += 1;
    Ok(Some(stock))
}

/// A run of cargo's test runner over one package.
struct CargoTest(Command);

fn cargo_test(package: &str, arguments: &[&str]) -> CargoTest {
    let mut command = checkout::native_cargo("test");
    // Every binary is run, also after one with a failure.
    command
        .args(["--no-fail-fast", "--package", package])
        .args(arguments);
    CargoTest(command)
}

impl CargoTest {
    /// Tells the tests where something is, in a variable that they look at.
    fn with(mut self, variable: &str, path: &Path) -> Self {
        self.0.env(variable, path);
        self
    }

    /// Runs it, and counts what it says.
    fn run(mut self, tally: &mut Tally) -> Result<()> {
        process::run_reading(&mut self.0, "`cargo test`", DEADLINE, |line| {
            println!("{line}");
            tally.add_line(line);
        })
    }
}
