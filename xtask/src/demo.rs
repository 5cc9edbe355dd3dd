//! `cargo xtask demo`: two composed programs talk over loopback TCP.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::shell::{ADDRESS, Session};
use crate::toolchain::Choice;
use crate::{build, checkout, python, readme, tools};

/// Far more than the conversation takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

#[derive(Args)]
pub(crate) struct Options {
    /// The language of the two programs.
    #[arg(value_enum, default_value_t)]
    language: Language,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Language {
    #[default]
    Rust,
    Python,
}

/// Builds the echo server and the echo client, runs them in the embedding host, shows both commands with their output, and prints
/// the equivalent manual commands. `wasmtime` runs the programs in Python.
///
/// # Errors
/// When something does not build, the server does not listen or the client fails.
pub(crate) fn demo(choice: Choice, options: &Options) -> Result<()> {
    if let Language::Python = options.language {
        build::build(choice)?;
        return python::require(&["demo"]);
    }
    build::for_demo(choice)?;
    // The profile of this automation, which takes a third of the time of `release`.
    run(&tools::streams_in("quick")?)
}

/// Runs the demo after the build. `streams` is the host program.
pub(crate) fn run(streams: &Path) -> Result<()> {
    let host = checkout::shown(streams);
    eprintln!("\nThe echo server and the echo client, run by {host}:\n");
    let programs = checkout::shown(&checkout::components().join("examples"));
    let mut session = Session::new([]).within(DEADLINE);
    for (name, grant) in [("server", "--allow-listen"), ("client", "--allow-connect")] {
        let program = format!("{programs}/echo-{name}.composed.wasm");
        session.run(&format!("{host} run {grant} {ADDRESS} {program} {ADDRESS}"))?;
    }
    // The server's half of the conversation.
    session.wait_for("Close the connection")?;
    drop(session);
    println!("\nThe same by hand, in {}:\n", checkout::root().display());
    let readme = readme::text()?;
    for heading in ["Compose", "Run"] {
        let block = readme::first_block(&readme, heading)
            .with_context(|| format!("README.md has no commands below {heading:?}"))?;
        print!("{block}");
    }
    println!(
        "\nwac is the program of the crate wac-cli, wasmtime that of wasmtime-cli, version 48."
    );
    Ok(())
}
