//! `cargo xtask demo`: two composed programs talk over loopback TCP.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::by_hand::{self, Line};
use crate::process::{Next, Running};
use crate::toolchain::Choice;
use crate::{build, checkout, process, python};

/// Far more than starting, compiling and talking takes.
const DEADLINE: Duration = Duration::from_secs(120);

/// What serve.wasm says when it listens, before the address.
pub(crate) const LISTENING: &str = "listening on ";

/// What both examples say last.
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

/// Builds, runs the echo server and the echo client in the embedding host, prints what they say, and then how to do
/// the same by hand. Those in Python are run by `wasmtime`.
///
/// # Errors
/// When something does not build, the server does not listen or the client fails.
pub(crate) fn demo(choice: Choice, options: &Options) -> Result<()> {
    if let Language::Python = options.language {
        build::build(choice)?;
        return python::require("demo");
    }
    build::for_demo(choice)?;
    run(&host_program()?)
}

/// The demo, once everything that it runs is built; `streams` is the host program.
pub(crate) fn run(streams: &Path) -> Result<()> {
    eprintln!(
        "\nThe echo server and the echo client, run by {}:\n",
        checkout::shown(streams)
    );
    converse(streams)?;
    println!("\nThe same by hand, in {}:\n", checkout::root().display());
    for Line { about, command } in by_hand::lines() {
        println!("# {about}\n{command}");
    }
    println!(
        "\nwac is the program of the crate wac-cli, wasmtime that of wasmtime-cli, version 48."
    );
    Ok(())
}

/// Builds the program that embeds components, in the profile of this automation: it takes half the time of `release`.
fn host_program() -> Result<PathBuf> {
    let mut command = checkout::native_cargo("build");
    command.args([
        "--locked",
        "--profile",
        "quick",
        "--package",
        "asyncio-streams-host",
        "--bin",
        "streams",
    ]);
    process::run(
        &mut command,
        "building the host program",
        Duration::from_secs(45 * 60),
    )?;
    let program = format!("streams{}", std::env::consts::EXE_SUFFIX);
    Ok(checkout::target().join("quick").join(program))
}

/// Runs both programs to the end of their conversation and prints it.
fn converse(streams: &Path) -> Result<()> {
    // Port 0: the operating system chooses a free one.
    let any = "127.0.0.1:0";
    let mut server = Speaker::start("server", streams, ["--allow-listen", any], any)?;
    let address = server.listening()?;
    let mut client = Speaker::start("client", streams, ["--allow-connect", &address], &address)?;
    while !client.ended {
        // The server speaks before it answers; so that what it says stands before what the client says of the answer.
        server.print_what_it_says()?;
        client.next()?;
    }
    let status = client.running.finish()?;
    if !status.success() {
        bail!("the client failed ({status})");
    }
    while !server.said_last_words {
        server.print_what_it_says()?;
        if server.ended {
            bail!("the server ended in the middle of the conversation");
        }
    }
    // Dropping the server ends it.
    Ok(())
}

/// One of the two programs.
struct Speaker {
    name: &'static str,
    running: Running,
    said_last_words: bool,
    ended: bool,
}

impl Speaker {
    fn start(name: &'static str, streams: &Path, grant: [&str; 2], address: &str) -> Result<Self> {
        let program = checkout::components()
            .join("examples")
            .join(format!("echo-{name}.composed.wasm"));
        let mut command = checkout::clean(streams);
        command
            .arg("run")
            .args(grant)
            .arg(program)
            .arg(address)
            .stdout(Stdio::piped());
        let running = Running::start(&mut command, &format!("the {name}"), DEADLINE)?;
        Ok(Self {
            name,
            running,
            said_last_words: false,
            ended: false,
        })
    }

    /// Waits until it says where it listens.
    fn listening(&mut self) -> Result<String> {
        while !self.ended {
            if let Some(line) = self.next()?
                && let Some(address) = line.strip_prefix(LISTENING)
            {
                return Ok(address.trim().to_owned());
            }
        }
        bail!("the {} ended before it listened", self.name)
    }

    fn print_what_it_says(&mut self) -> Result<()> {
        while self.next()?.is_some() {}
        Ok(())
    }

    fn next(&mut self) -> Result<Option<String>> {
        match self.running.line_within(Duration::from_millis(20))? {
            Next::Line(line) => {
                println!("{} | {line}", self.name);
                self.said_last_words |= line.contains(LAST_WORDS);
                Ok(Some(line))
            }
            Next::Silence => Ok(None),
            Next::End => {
                self.ended = true;
                Ok(None)
            }
        }
    }
}
