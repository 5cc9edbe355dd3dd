//! Builds, composes and compiles the peers that are components, before any run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use asyncio_streams_host::compose::{Part, compose};

use xtask::toolchain::Toolchain;
use xtask::{checkout, languages, process, wasm};

use crate::peer::Peer;

/// The options that switch off wasmtime's support of concurrency, when it compiles and when it runs.
pub(crate) const PLAIN: [&str; 2] = ["-W", "concurrency-support=n"];

/// Makes the peers without TLS.
///
/// # Errors
/// When one cannot be built, composed or compiled.
pub(crate) fn make(toolchain: &Toolchain, wasmtime: &Path) -> Result<()> {
    for built in wasm::build(toolchain, "asyncio-streams-bench-guest", wasm::EXAMPLES)? {
        let name = &built.name;
        let component = std::fs::read(&built.file)?;
        let component = if *name == Peer::Floor.name() {
            component
        } else {
            with(name, component, "streams.wasm")?
        };
        compile(wasmtime, name, &component, &[])?;
    }
    // The engine is a part of the program, which users compile for speed.
    let part = "--example ours --no-default-features --config profile.guest.opt-level=3";
    let linked = wasm::build_one(toolchain, "asyncio-streams-bench-guest", part)?;
    let linked = std::fs::read(&linked)?;
    compile(wasmtime, Peer::Linked.name(), &linked, &[])?;
    make_blocking(toolchain, wasmtime)
}

/// Compiles the peers that run under this project's host too. [`make`] has written their components.
///
/// # Errors
/// When one cannot be compiled.
pub(crate) fn make_for_streams(streams: &Path) -> Result<()> {
    for (component, peer) in Peer::IN_BOTH_HOSTS {
        let component = component_file(component.name());
        compile_for_streams(streams, &component, &file(peer, false))?;
    }
    Ok(())
}

/// Compiles a component for this project's host.
///
/// # Errors
/// When it cannot be compiled.
pub(crate) fn compile_for_streams(streams: &Path, component: &Path, into: &Path) -> Result<()> {
    let mut command = checkout::clean(streams);
    command.args(["compile", "--cache", "off", "--uninterruptible"]);
    command.arg(component).arg("-o").arg(into);
    process::run(
        &mut command,
        &format!("compiling {}", checkout::shown(into)),
    )
}

/// Makes the peers whose calls block.
fn make_blocking(toolchain: &Toolchain, wasmtime: &Path) -> Result<()> {
    let package = "asyncio-streams-bench-blocking";
    let built = wasm::build_one(toolchain, package, wasm::LIBRARY)?;
    let name = Peer::P2.name();
    let component = with(name, std::fs::read(&built)?, "streams-p2.wasm")?;
    compile(wasmtime, name, &component, &[])?;
    compile(wasmtime, Peer::P2Plain.name(), &component, &PLAIN)
}

/// Makes the peers of the workloads with TLS: this project's, and rustls alone.
///
/// # Errors
/// When there is no clang, or one cannot be built, composed or compiled.
pub(crate) fn make_protected(toolchain: &Toolchain, wasmtime: &Path) -> Result<()> {
    let ours = Peer::Ours.name();
    let alone = wasm::build_one(toolchain, "asyncio-streams-bench-alone", wasm::TLS)?;
    let alone = std::fs::read(&alone)?;
    compile(wasmtime, &protected(Peer::Floor), &alone, &[])?;
    let built = wasm::build(toolchain, "asyncio-streams-bench-guest", wasm::EXAMPLES)?;
    let program = built.iter().find(|built| built.name == ours);
    let program = program.context("cargo named no component")?;
    let component = with(ours, std::fs::read(&program.file)?, "streams-tls.wasm")?;
    compile(wasmtime, &protected(Peer::Ours), &component, &[])
}

/// Makes those of these peers that are in other languages. Removes the peers whose language's tools are missing, with a
/// message.
///
/// # Errors
/// When one cannot be built, composed or compiled.
pub(crate) fn make_foreign(wasmtime: &Path, peers: &mut Vec<Peer>) -> Result<()> {
    if !peers.iter().any(|peer| peer.is_foreign()) {
        return Ok(());
    }
    // It reports the languages that it leaves out.
    languages::build_available()?;
    for (peer, program) in Peer::IN_OTHER_LANGUAGES {
        if !peers.contains(&peer) {
            continue;
        }
        let program = checkout::components().join(program);
        if !program.is_file() {
            peers.retain(|of| *of != peer);
            eprintln!("\n!!! Left out: the peer {}", peer.name());
            continue;
        }
        let component = with(peer.name(), std::fs::read(&program)?, "streams.wasm")?;
        compile(wasmtime, peer.name(), &component, &[])?;
    }
    Ok(())
}

/// The compiled component of a peer.
pub(crate) fn file(peer: Peer, tls: bool) -> PathBuf {
    if tls {
        named(&protected(peer))
    } else {
        named(peer.name())
    }
}

fn protected(peer: Peer) -> String {
    format!("{}-tls", peer.name())
}

fn named(name: &str) -> PathBuf {
    crate::folder().join(format!("{name}.cwasm"))
}

fn component_file(name: &str) -> PathBuf {
    crate::folder().join(format!("{name}.wasm"))
}

fn with(name: &str, component: Vec<u8>, streams: &str) -> Result<Vec<u8>> {
    let file = checkout::components().join(streams);
    let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let parts = [
        Part::new(format!("{name}.wasm"), component),
        Part::new(streams, bytes),
    ];
    Ok(compose(parts)?.into_bytes())
}

fn compile(wasmtime: &Path, name: &str, component: &[u8], options: &[&str]) -> Result<()> {
    let file = component_file(name);
    std::fs::write(&file, component).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = checkout::clean(wasmtime);
    command.arg("compile").args(options).arg(&file);
    command.arg("-o").arg(named(name));
    process::run(&mut command, &format!("compiling {name}"))
}
