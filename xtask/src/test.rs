//! `cargo xtask test`: runs every test.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::process::Running;
use crate::steps::{Steps, Tally};
use crate::toolchain::{Choice, Toolchain};
use crate::{
    bench, binaries, build, cargo, demo, fuzz, javascript, languages, node, process, python,
    readme, tools, wasm,
};

const CORE: &str = "asyncio-streams-core";
const ENGINE: &str = "asyncio-streams-engine";
const CLIENT: &str = "asyncio-streams";

/// The packages that become WebAssembly and have tests that run natively.
const GUESTS: [&str; 7] = [
    CORE,
    CLIENT,
    "asyncio-streams-serve",
    "asyncio-streams-text",
    "asyncio-streams-face",
    "asyncio-streams-wasi03",
    "asyncio-streams-wasi02",
];

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the tests under the real `wasmtime` program.
    #[arg(long)]
    without_wasmtime: bool,
    /// Fail if a real peer (redis, nginx, …) is missing, instead of leaving its test out.
    #[arg(long)]
    require_peers: bool,
}

/// Leaves nothing out.
pub(crate) const OF_CI: Options = Options {
    without_wasmtime: false,
    require_peers: true,
};

/// Builds, then runs every test, also after a failed one.
///
/// # Errors
/// When a test fails, or a required program is missing.
pub(crate) fn test(choice: Choice, options: &Options) -> Result<()> {
    let mut steps = Steps::new(false);
    let natives = (!options.without_wasmtime).then(|| start_natives(&mut steps));
    if let Some(toolchain) = steps.run("the components", |_| build::build(choice)) {
        tests(&mut steps, choice, &toolchain, options, natives.flatten());
    }
    let done = steps.finish();
    if options.without_wasmtime {
        println!("LEFT OUT, as asked: every test under the real wasmtime program");
    }
    done
}

/// Starts to build the native programs of the tests. The build goes on beside the steps that build components.
pub(crate) fn start_natives(steps: &mut Steps) -> Option<Running> {
    steps.run("native programs, built beside the next steps", |_| {
        tools::start_build_with_the_tests()
    })
}

/// Runs the steps after the build of the components; `ci` uses them too. `natives` is the build that [`start_natives`] started.
pub(crate) fn tests(
    steps: &mut Steps,
    choice: Choice,
    toolchain: &Toolchain,
    options: &Options,
    natives: Option<Running>,
) {
    steps.run("the tests' programs", |_| build::test_programs(toolchain));
    steps.run("programs in C, C++ and Go", |tally| {
        languages::build(options.require_peers, tally)
    });
    steps.run("tests of the automation", |tally| {
        cargo_test(&languages::AUTOMATION, "--profile quick", tally)
    });
    steps.run("tests of the guests, natively", |tally| {
        guests(toolchain, tally)
    });
    steps.run("tests of the engine, natively", |tally| {
        cargo_test(&[ENGINE], "--features tls", tally)
    });
    fuzz::run(steps);
    let node = steps.run("jco, which runs components on Node", |tally| {
        javascript::install(options.require_peers, tally)
    });
    if let Some(natives) = natives {
        steps.run("the rest of the build of native programs", |_| {
            natives.succeed()
        });
    }
    steps.run("tests of the benchmark", |tally| {
        let packages = ["asyncio-streams-bench-plan", "asyncio-streams-bench"];
        cargo_test(&packages, "--release", tally)
    });
    let mut variables = Vec::new();
    variables.extend(node.flatten().map(|script| (javascript::VARIABLE, script)));
    if options.without_wasmtime {
        eprintln!("\n!!! Left out, as asked: every test under the real wasmtime program");
        steps.run("tests of the host crate and of the components", |tally| {
            variables.push(("WASMTIME", "skip".into()));
            hosts(variables, options, tally)
        });
        return;
    }
    let built = steps.run("the programs wasmtime, wac and streams", |_| {
        let without = "`cargo xtask test --without-wasmtime` leaves out what needs it";
        let wasmtime = tools::WASMTIME.get().context(without)?;
        Ok((wasmtime, tools::WAC.get()?, tools::streams()?))
    });
    let Some((wasmtime, wac, streams)) = built else {
        return;
    };
    steps.run("the demo", |_| demo::run(&streams));
    let python = steps.run("programs in Python", |tally| {
        python_programs(options, tally)
    });
    let python = python.flatten();
    steps.run("tests of the host crate and of the components", |tally| {
        variables.push(("WASMTIME", wasmtime.clone()));
        if let Some(python) = python.clone() {
            variables.extend([("PYTHON", python), ("PYTHON_PROGRAMS", python::folder())]);
        }
        hosts(variables, options, tally)
    });
    let folders = [wac, wasmtime].map(|program| program.with_file_name(""));
    steps.run("the lines of the README", |tally| {
        readme::run(&folders, python.is_some(), tally)
    });
    steps.run("CPython's tests of asyncio's streams", |tally| {
        python::step(&["compare"], options.require_peers, tally).map(drop)
    });
    steps.run("programs with packages of Python's index", |tally| {
        let mut words = vec!["packages", "--short"];
        if options.require_peers {
            words.push("--required");
        }
        python::step(&words, options.require_peers, tally).map(drop)
    });
    steps.run("the benchmark, once and shortly", |_| bench::smoke(choice));
}

/// The unit tests and the documentation of the packages that become WebAssembly.
fn guests(toolchain: &Toolchain, tally: &mut Tally) -> Result<()> {
    // A core module, without a component around it.
    let part = "--example imports -- -C link-arg=--skip-wit-component";
    let module = wasm::build_one(toolchain, CORE, part)?;
    let mut command = test_command(&GUESTS, "--lib --tests");
    run_counting(command.env("CORE_MODULE", &module), tally)?;
    cargo_test(&[CORE], "--doc", tally)?;
    // The parts that only composed programs have, those of WASI 0.2, and the documentation of all.
    cargo_test(&[CLIENT], "--features imported,blocking", tally)
}

/// The tests that run components.
fn hosts(mut variables: Vec<(&str, PathBuf)>, options: &Options, tally: &mut Tally) -> Result<()> {
    if options.require_peers {
        node::require()?;
        variables.push(("PEERS", "required".into()));
    }
    let all = test_command(&tools::HOSTS, "--release --lib --bins --tests");
    binaries::run(all, &variables, tally)?;
    cargo_test(&tools::HOSTS, "--release --doc", tally)
}

/// Makes components of the programs in Python, after the package's own tests have passed. Returns the CPython to
/// compare with, or nothing without one.
fn python_programs(options: &Options, tally: &mut Tally) -> Result<Option<PathBuf>> {
    let printed = python::step(&["test"], options.require_peers, tally)?;
    let python = printed.map(|lines| python::value(&lines, "PYTHON").map(PathBuf::from));
    python.transpose()
}

/// Runs cargo's test runner over packages, and counts.
fn cargo_test(packages: &[&str], words: &str, tally: &mut Tally) -> Result<()> {
    run_counting(&mut test_command(packages, words), tally)
}

/// `cargo test` over packages.
fn test_command(packages: &[&str], words: &str) -> Command {
    let mut command = cargo::native(&format!("test --locked --no-fail-fast {words}"));
    command.args(cargo::packages(packages));
    command
}

fn run_counting(command: &mut Command, tally: &mut Tally) -> Result<()> {
    process::run_reading(command, "`cargo test`", |line| {
        println!("{line}");
        tally.add_line(line);
    })
}
