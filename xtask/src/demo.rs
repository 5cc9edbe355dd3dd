//! `cargo xtask demo`: two composed programs talk over loopback TCP.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::process::Running;
use crate::toolchain::Choice;
use crate::{build, checkout, python, readme, tools};

/// Far more than the demo takes.
const DEADLINE: Duration = Duration::from_secs(120);

/// The text before the address that serve.wasm prints when it listens.
pub(crate) const LISTENING: &str = "listening on ";

/// The last line that both examples print.
const LAST_WORDS: &str = "Close the connection";

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

/// Builds the echo server and the echo client, runs them in the embedding host, shows their output, and prints the
/// equivalent manual commands. `wasmtime` runs the programs in Python.
///
/// # Errors
/// When something does not build, the server does not listen or the client fails.
pub(crate) fn demo(choice: Choice, options: &Options) -> Result<()> {
    if let Language::Python = options.language {
        build::build(choice)?;
        return python::require(&["demo"]);
    }
    build::for_demo(choice)?;
    // The profile of this automation, which takes half the time of `release`.
    run(&tools::streams_in("quick")?)
}

/// Runs the demo after the build. `streams` is the host program.
pub(crate) fn run(streams: &Path) -> Result<()> {
    let host = checkout::shown(streams);
    eprintln!("\nThe echo server and the echo client, run by {host}:\n");
    converse(streams)?;
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

/// Runs both programs to the end of their conversation, and shows their output.
fn converse(streams: &Path) -> Result<()> {
    // Port 0: the operating system chooses a free one.
    let any = "127.0.0.1:0";
    let mut server = start(streams, "server", ["--allow-listen", any], any)?;
    let address = loop {
        let line = server.next_line()?;
        let line = line.context("the server ended before it listened")?;
        println!("server | {line}");
        if let Some(address) = line.strip_prefix(LISTENING) {
            break address.trim().to_owned();
        }
    };
    let mut client = start(streams, "client", ["--allow-connect", &address], &address)?;
    let mut last = String::new();
    while let Some(line) = client.next_line()? {
        // The server prints before it answers, so its lines come first.
        while let Some(line) = server.line_within(Duration::from_millis(20))? {
            println!("server | {line}");
            last = line;
        }
        println!("client | {line}");
    }
    client.succeed()?;
    while !last.contains(LAST_WORDS) {
        let line = server.next_line()?;
        last = line.context("the server ended during the conversation")?;
        println!("server | {last}");
    }
    // Dropping the server ends it.
    Ok(())
}

/// Starts one of the two programs with this grant.
fn start(streams: &Path, name: &str, grant: [&str; 2], address: &str) -> Result<Running> {
    let program = format!("examples/echo-{name}.composed.wasm");
    let mut command = checkout::clean(streams);
    command.arg("run").args(grant);
    command
        .arg(checkout::components().join(program))
        .arg(address);
    let running = Running::start(command.stdout(Stdio::piped()), &format!("the {name}"))?;
    Ok(running.within(DEADLINE))
}
