//! `cargo xtask build`: builds the components, composes the examples, and builds the programs of the tests if asked to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use asyncio_streams_host::compose::{ComposeError, Composition, Part, compose};
use clap::Args;

use crate::artifacts::{Artifacts, Changes};
use crate::strip::strip;
use crate::toolchain::{Choice, Toolchain};
use crate::wasm::{self, Built, What};
use crate::{checkout, clang, python};

/// The interface that a handler exports and serve.wasm calls.
const HANDLER: &str = "asyncio:streams/handler";

#[derive(Args)]
pub(crate) struct Options {
    /// Build the guest programs of the tests too, as `cargo xtask test` does.
    #[arg(long)]
    tests: bool,
    /// Make components of the programs in Python too, in target/python/programs.
    #[arg(long)]
    python: bool,
}

/// The components to compose, and the file to write.
#[derive(Args)]
pub(crate) struct ComposeOptions {
    output: PathBuf,
    /// The program first, the streams last.
    parts: Vec<PathBuf>,
}

/// Composes the components in these files.
///
/// # Errors
/// When a file cannot be read or written, or the parts do not fit.
pub(crate) fn compose_files(options: &ComposeOptions) -> Result<()> {
    let parts = options.parts.iter().map(Part::read);
    let composed = compose(parts.collect::<Result<Vec<_>, _>>()?)?;
    let output = &options.output;
    fs::write(output, composed.bytes())
        .with_context(|| format!("cannot write {}", output.display()))
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
/// * `streams.wasm`, `streams-unix.wasm`, `serve.wasm`, and `streams-p2.wasm` for hosts of WASI 0.2;
/// * the same components with TLS, unless there is no clang and none can be installed;
/// * `examples/NAME.wasm`, and `examples/NAME.composed.wasm`, which runs as it is.
///
/// # Errors
/// When there is no compiler, a package does not build or an example does not compose.
pub fn build(choice: Choice) -> Result<Toolchain> {
    let toolchain = Toolchain::get(choice)?;
    let mut artifacts = Artifacts::new(&["", "examples"]);
    components(&toolchain, What::Examples, &mut artifacts)?;
    library(
        &toolchain,
        "asyncio-streams-unix",
        What::Library,
        "streams-unix.wasm",
        &mut artifacts,
    )?;
    blocking(&toolchain, &mut artifacts)?;
    tls(&toolchain, &mut artifacts)?;
    report(&artifacts.finish()?);
    Ok(toolchain)
}

/// Builds only the components that the demo runs. Other components stay as they are.
///
/// # Errors
/// As [`build`].
pub(crate) fn for_demo(choice: Choice) -> Result<()> {
    let toolchain = Toolchain::get(choice)?;
    let mut artifacts = Artifacts::new(&[]);
    components(
        &toolchain,
        What::Named(&["echo-client", "echo-server"]),
        &mut artifacts,
    )?;
    report(&artifacts.finish()?);
    Ok(())
}

/// Builds the components without TLS and these examples, which it composes.
fn components(toolchain: &Toolchain, examples: What, artifacts: &mut Artifacts) -> Result<()> {
    eprintln!("Building the components with {}", toolchain.name);
    let streams = library(
        toolchain,
        "asyncio-streams-component",
        What::Library,
        "streams.wasm",
        artifacts,
    )?;
    let serve = library(
        toolchain,
        "asyncio-streams-serve",
        What::Library,
        "serve.wasm",
        artifacts,
    )?;
    for example in wasm::build(toolchain, "asyncio-streams", examples)? {
        put_example(&example, artifacts, |part| {
            with_what_it_needs(part, &serve, &streams)
        })?;
    }
    Ok(())
}

/// Builds the component for hosts of WASI 0.2, and the examples of programs that use it.
fn blocking(toolchain: &Toolchain, artifacts: &mut Artifacts) -> Result<()> {
    let streams = library(
        toolchain,
        "asyncio-streams-blocking",
        What::Library,
        "streams-p2.wasm",
        artifacts,
    )?;
    for example in wasm::build(
        toolchain,
        "asyncio-streams-blocking-examples",
        What::Examples,
    )? {
        put_example(&example, artifacts, |part| {
            compose([part.clone(), streams.clone()])
        })?;
    }
    Ok(())
}

/// Writes an example to the artifacts, as it is and composed.
fn put_example(
    example: &Built,
    artifacts: &mut Artifacts,
    compose: impl FnOnce(&Part) -> Result<Composition, ComposeError>,
) -> Result<()> {
    let name = &example.name;
    let content = read(&example.file)?;
    let part = Part::new(format!("{name}.wasm"), content.as_slice());
    let composed =
        compose(&part).with_context(|| format!("the example {name} does not compose"))?;
    artifacts.put(format!("examples/{name}.wasm"), &content)?;
    artifacts.put(format!("examples/{name}.composed.wasm"), composed.bytes())
}

/// Builds the guest programs of the tests: `tests/NAME.wasm`, which they compose, and `linked/NAME.wasm`, which contain the
/// engine.
///
/// # Errors
/// When one does not build.
pub(crate) fn test_programs(toolchain: &Toolchain) -> Result<()> {
    let mut artifacts = Artifacts::new(&["tests", "linked"]);
    for (folder, what) in [("tests", What::QuickExamples), ("linked", What::Linked)] {
        for program in wasm::build(toolchain, "asyncio-streams-test-programs", what)? {
            artifacts.put(
                format!("{folder}/{}.wasm", program.name),
                &read(&program.file)?,
            )?;
        }
    }
    for (package, name) in [
        ("asyncio-streams-blocking-programs", "tests/blocking.wasm"),
        (
            "asyncio-streams-blocking-clients",
            "tests/blocking_clients.wasm",
        ),
    ] {
        library(toolchain, package, What::Library, name, &mut artifacts)?;
    }
    report(&artifacts.finish()?);
    Ok(())
}

/// Builds the component of a package's library, and writes it to the artifacts.
fn library(
    toolchain: &Toolchain,
    package: &str,
    what: What,
    name: &str,
    artifacts: &mut Artifacts,
) -> Result<Part> {
    let built = wasm::build(toolchain, package, what)?;
    let file = built
        .first()
        .map(|built| &built.file)
        .context("cargo named no component")?;
    let content = read(file)?;
    artifacts.put(name, &content)?;
    Ok(Part::new(name, content))
}

/// Builds the components with TLS, if there is a clang.
fn tls(toolchain: &Toolchain, artifacts: &mut Artifacts) -> Result<()> {
    let clang = match clang::get() {
        Ok(clang) => clang,
        Err(error) => {
            eprintln!(
                "\n!!! Left out: streams-tls.wasm, streams-unix-tls.wasm and streams-p2-tls.wasm, which need clang. {error:#}\n"
            );
            return Ok(());
        }
    };
    for (package, name) in [
        ("asyncio-streams-tls", "streams-tls.wasm"),
        ("asyncio-streams-unix-tls", "streams-unix-tls.wasm"),
        ("asyncio-streams-blocking-tls", "streams-p2-tls.wasm"),
    ] {
        let built = wasm::build_tls(toolchain, &clang, package, What::Library)?;
        let file = built.first().context("cargo named no component")?;
        artifacts.put(name, &read(&file.file)?)?;
    }
    Ok(())
}

/// Composes a handler with serve.wasm and the streams, and any other program with the streams only.
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

/// Reads a component and strips it for users.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    strip(&content).with_context(|| format!("{} is no component", file.display()))
}

/// Reports the changes of a build.
pub(crate) fn report(changes: &Changes) {
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
