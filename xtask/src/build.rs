//! `cargo xtask build`: the components, and the examples composed; and the tests' programs, for those who test.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use asyncio_streams_host::compose::{ComposeError, Composition, Part, compose};
use clap::Args;

use crate::artifacts::{Artifacts, Changes};
use crate::strip::strip;
use crate::toolchain::{Choice, Toolchain};
use crate::wasm::{self, What};
use crate::{checkout, clang, python};

/// The interface that a program exports which serve.wasm is to call.
const HANDLER: &str = "asyncio:streams/handler";

#[derive(Args)]
pub(crate) struct Options {
    /// Build the guest programs of the tests too, as `cargo xtask test` does.
    #[arg(long)]
    tests: bool,
    /// Make components of the programs in Python too, into target/python/programs.
    #[arg(long)]
    python: bool,
}

/// The command.
///
/// # Errors
/// Those of [`build`] and [`test_programs`]; when there is no Python, if that is asked for.
pub(crate) fn run(choice: Choice, options: &Options) -> Result<()> {
    let toolchain = build(choice)?;
    if options.tests {
        test_programs(&toolchain)?;
    }
    if options.python {
        python::Programs::get()?.compile_all(&python::all())?;
    }
    Ok(())
}

/// Builds what people use into `target/components`, says what changed, and gives the compiler:
///
/// * `streams.wasm`, `serve.wasm`;
/// * `streams-tls.wasm`, unless there is no clang and none can be installed;
/// * `examples/NAME.wasm`, and `examples/NAME.composed.wasm`, which runs as it is.
///
/// # Errors
/// When there is no compiler, a package does not build or an example does not compose.
pub(crate) fn build(choice: Choice) -> Result<Toolchain> {
    let toolchain = Toolchain::get(choice)?;
    eprintln!("Building the components with {}", toolchain.name);
    let mut artifacts = Artifacts::new(&["", "examples"]);
    let streams = library(
        &toolchain,
        "asyncio-streams-component",
        "streams.wasm",
        &mut artifacts,
    )?;
    tls(&toolchain, &mut artifacts)?;
    let serve = library(
        &toolchain,
        "asyncio-streams-serve",
        "serve.wasm",
        &mut artifacts,
    )?;
    for example in wasm::build(&toolchain, "asyncio-streams", What::Examples)? {
        let name = example.name;
        let content = read(&example.file)?;
        let part = Part::new(format!("{name}.wasm"), content.as_slice());
        let composed = with_what_it_needs(&part, &serve, &streams)
            .with_context(|| format!("the example {name} does not compose"))?;
        artifacts.put(format!("examples/{name}.wasm"), &content)?;
        artifacts.put(format!("examples/{name}.composed.wasm"), composed.bytes())?;
    }
    report(&artifacts.finish()?);
    Ok(toolchain)
}

/// Builds `tests/NAME.wasm`, the guest programs of the tests, which compose them as they need.
///
/// # Errors
/// When one does not build.
pub(crate) fn test_programs(toolchain: &Toolchain) -> Result<()> {
    let mut artifacts = Artifacts::new(&["tests"]);
    for program in wasm::build(toolchain, "asyncio-streams-test-programs", What::Examples)? {
        artifacts.put(
            format!("tests/{}.wasm", program.name),
            &read(&program.file)?,
        )?;
    }
    report(&artifacts.finish()?);
    Ok(())
}

/// Builds the component of a package's library, and puts it among the artifacts.
fn library(
    toolchain: &Toolchain,
    package: &str,
    name: &str,
    artifacts: &mut Artifacts,
) -> Result<Part> {
    let built = wasm::build(toolchain, package, What::Library)?;
    let file = built
        .first()
        .map(|built| &built.file)
        .context("cargo named no component")?;
    let content = read(file)?;
    artifacts.put(name, &content)?;
    Ok(Part::new(name, content))
}

/// Builds the component with TLS, where that can be done.
fn tls(toolchain: &Toolchain, artifacts: &mut Artifacts) -> Result<()> {
    let clang = match clang::get() {
        Ok(clang) => clang,
        Err(error) => {
            eprintln!("\n!!! Left out: streams-tls.wasm, which takes clang. {error:#}\n");
            return Ok(());
        }
    };
    let built = wasm::build_tls(toolchain, &clang, "asyncio-streams-tls")?;
    let file = built.first().context("cargo named no component")?;
    artifacts.put("streams-tls.wasm", &read(&file.file)?)
}

/// A handler becomes a server with serve.wasm; what runs by itself needs the streams only.
fn with_what_it_needs(
    program: &Part,
    serve: &Part,
    streams: &Part,
) -> Result<Composition, ComposeError> {
    match compose([serve.clone(), program.clone(), streams.clone()]) {
        Err(ComposeError::Missing { missing })
            if missing
                .iter()
                .flat_map(|of| &of.interfaces)
                .any(|name| name.starts_with(HANDLER)) =>
        {
            compose([program.clone(), streams.clone()])
        }
        composed => composed,
    }
}

/// A component that was built, as it is given to people.
fn read(file: &Path) -> Result<Vec<u8>> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    strip(&content).with_context(|| format!("{} is no component", file.display()))
}

fn report(changes: &Changes) {
    let folder = checkout::shown(&checkout::components());
    let Changes { files, changed } = changes;
    if changed.is_empty() {
        println!("{folder} is up to date: {files} components, nothing changed");
        return;
    }
    for file in changed {
        match fs::metadata(file) {
            Ok(about) => println!("{} ({} bytes)", checkout::shown(file), about.len()),
            Err(_) => println!("{} (removed)", checkout::shown(file)),
        }
    }
    println!("{folder}: {files} components, {} changed", changed.len());
}
