//! `cargo xtask build`: builds the components, composes the examples, and builds the programs of the tests if asked to.

use anyhow::{Context as _, Result};
use asyncio_streams_host::compose::{ComposeError, Composition, Part, compose};
use clap::Args;

use crate::artifacts::Artifacts;
use crate::toolchain::{Choice, Toolchain};
use crate::wasm::{self, Built};
use crate::{clang, python};

/// A component for users.
pub(crate) struct Component {
    /// The name of its file, without `.wasm`.
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    /// The part of the package, as [`wasm::build`] takes it.
    pub(crate) part: &'static str,
}

impl Component {
    /// The manifest of its workspace.
    pub(crate) fn manifest(&self) -> &'static str {
        match self.part {
            wasm::TLS => wasm::TLS_MANIFEST,
            _ => "Cargo.toml",
        }
    }
}

/// Every component for users.
pub(crate) const COMPONENTS: [Component; 7] = [
    STREAMS,
    named("streams-tls", "asyncio-streams-tls", wasm::TLS),
    UNIX,
    named("streams-unix-tls", "asyncio-streams-unix-tls", wasm::TLS),
    BLOCKING,
    named("streams-p2-tls", "asyncio-streams-blocking-tls", wasm::TLS),
    SERVE,
];

const STREAMS: Component = named("streams", "asyncio-streams-component", wasm::LIBRARY);
const UNIX: Component = named("streams-unix", "asyncio-streams-unix", wasm::LIBRARY);
const BLOCKING: Component = named("streams-p2", "asyncio-streams-blocking", wasm::LIBRARY);
const SERVE: Component = named("serve", "asyncio-streams-serve", wasm::LIBRARY);

const fn named(name: &'static str, package: &'static str, part: &'static str) -> Component {
    Component {
        name,
        package,
        part,
    }
}

#[derive(Args)]
pub(crate) struct Options {
    /// Build the guest programs of the tests too, as `cargo xtask test` does.
    #[arg(long)]
    tests: bool,
    /// Make components of the programs in Python too, in target/python/programs.
    #[arg(long)]
    python: bool,
}

/// Runs the command.
///
/// # Errors
/// As [`build`] and [`test_programs`]; with `--python` also when there is no Python.
pub(crate) fn run(choice: Choice, options: &Options) -> Result<()> {
    let toolchain = build(choice)?;
    if options.tests {
        test_programs(&toolchain)?;
    }
    if options.python {
        python::require(&["build"])?;
    }
    Ok(())
}

/// Builds the components for users into `target/components`, reports changes, and returns the compiler:
///
/// * the components of `COMPONENTS`; without those with TLS, if there is no clang and none can be installed;
/// * `examples/NAME.wasm`, and `examples/NAME.composed.wasm`, which runs as it is.
///
/// # Errors
/// When there is no compiler, a package does not build or an example does not compose.
pub fn build(choice: Choice) -> Result<Toolchain> {
    let toolchain = Toolchain::get(choice)?;
    let mut artifacts = Artifacts::new(&["", "examples"]);
    for_rust(&toolchain, wasm::EXAMPLES, &mut artifacts)?;
    let streams = component(&toolchain, &BLOCKING, &mut artifacts)?;
    let package = "asyncio-streams-blocking-examples";
    for example in wasm::build(&toolchain, package, wasm::EXAMPLES)? {
        put_example(&example, None, &streams, &mut artifacts)?;
    }
    component(&toolchain, &UNIX, &mut artifacts)?;
    match clang::get() {
        Ok(_) => {
            for protected in COMPONENTS.iter().filter(|of| of.part == wasm::TLS) {
                component(&toolchain, protected, &mut artifacts)?;
            }
        }
        Err(error) => {
            eprintln!("\n!!! Left out: the components with TLS, which need clang. {error:#}\n")
        }
    }
    artifacts.finish()?;
    Ok(toolchain)
}

/// Builds only the components that the demo runs. Other components stay as they are.
///
/// # Errors
/// As [`build`].
pub(crate) fn for_demo(choice: Choice) -> Result<()> {
    let toolchain = Toolchain::get(choice)?;
    let mut artifacts = Artifacts::new(&[]);
    let examples = "--example echo-client --example echo-server";
    for_rust(&toolchain, examples, &mut artifacts)?;
    artifacts.finish().map(drop)
}

/// Builds the guest programs of the tests: `tests/NAME.wasm`, which they compose, `linked/NAME.wasm`, which contain the engine, and
/// `linked-tls/NAME.wasm`, which contain the engine with TLS. Without clang, the last ones are left out.
///
/// # Errors
/// When one does not build.
pub(crate) fn test_programs(toolchain: &Toolchain) -> Result<()> {
    let mut artifacts = Artifacts::new(&["tests", "linked", "linked-tls"]);
    let programs = "asyncio-streams-test-programs";
    let mut folders = vec![
        ("tests", programs, wasm::QUICK_EXAMPLES),
        ("linked", programs, wasm::LINKED),
    ];
    if clang::get().is_ok() {
        folders.push(("linked-tls", "asyncio-streams-linked-tls", wasm::LINKED_TLS));
    }
    for (folder, package, part) in folders {
        for program in wasm::build(toolchain, package, part)? {
            artifacts.add(format!("{folder}/{}.wasm", program.name), &program.file)?;
        }
    }
    for (package, name) in [
        ("asyncio-streams-blocking-programs", "blocking"),
        ("asyncio-streams-blocking-clients", "blocking_clients"),
    ] {
        let file = wasm::build_one(toolchain, package, wasm::LIBRARY)?;
        artifacts.add(format!("tests/{name}.wasm"), &file)?;
    }
    artifacts.finish().map(drop)
}

/// Builds what programs of WASI 0.3 are composed with, and these examples in Rust, which it composes.
fn for_rust(toolchain: &Toolchain, examples: &str, artifacts: &mut Artifacts) -> Result<()> {
    eprintln!("Building the components with {}", toolchain.name);
    let streams = component(toolchain, &STREAMS, artifacts)?;
    let serve = component(toolchain, &SERVE, artifacts)?;
    for example in wasm::build(toolchain, "asyncio-streams", examples)? {
        put_example(&example, Some(&serve), &streams, artifacts)?;
    }
    Ok(())
}

/// Builds a component for users, and writes it to the artifacts.
fn component(
    toolchain: &Toolchain,
    component: &Component,
    artifacts: &mut Artifacts,
) -> Result<Part> {
    let name = format!("{}.wasm", component.name);
    let file = wasm::build_one(toolchain, component.package, component.part)?;
    let content = artifacts.add(&name, &file)?;
    Ok(Part::new(name, content))
}

/// Writes an example to the artifacts, as it is and composed.
fn put_example(
    example: &Built,
    serve: Option<&Part>,
    streams: &Part,
    artifacts: &mut Artifacts,
) -> Result<()> {
    let name = &example.name;
    let content = artifacts.add(format!("examples/{name}.wasm"), &example.file)?;
    let composed = with_what_it_needs(Part::new(format!("{name}.wasm"), content), serve, streams)
        .with_context(|| format!("the example {name} does not compose"))?;
    artifacts.put(format!("examples/{name}.composed.wasm"), composed.bytes())
}

/// Composes a handler with serve.wasm and the streams, and any other program with the streams only.
fn with_what_it_needs(
    program: Part,
    serve: Option<&Part>,
    streams: &Part,
) -> Result<Composition, ComposeError> {
    if let Some(serve) = serve {
        match compose([serve.clone(), program.clone(), streams.clone()]) {
            // No handler. If it lacks something else, that is reported below.
            Err(ComposeError::Missing { .. }) => {}
            composed => return composed,
        }
    }
    compose([program, streams.clone()])
}
