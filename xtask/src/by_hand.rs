//! The lines that a person types to do by hand what the automation does: printed by the demo, run by the tests.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::checkout;
use crate::shell::{ADDRESS, Session};

/// Where the lines put what they make.
const FOLDER: &str = "target/by-hand";

/// One line, and what it does.
pub(crate) struct Line {
    pub(crate) about: &'static str,
    pub(crate) command: String,
}

/// The lines that compose and run the echo client and the echo server. They are typed in the checkout's folder.
pub(crate) fn lines() -> Vec<Line> {
    let line = |about, command| Line { about, command };
    let components = checkout::shown(&checkout::components());
    let examples = format!("{components}/examples");
    let streams = format!("{components}/streams.wasm");
    vec![
        line(
            "a folder for what is composed here",
            format!("mkdir -p {FOLDER}"),
        ),
        line(
            "the client: one part, and the streams",
            format!(
                "wac plug {examples}/echo-client.wasm --plug {streams} -o {FOLDER}/client.wasm"
            ),
        ),
        line(
            "the server, first step: the program that listens, and the handler that it calls",
            format!(
                "wac plug {components}/serve.wasm --plug {examples}/echo-server.wasm -o {FOLDER}/part.wasm"
            ),
        ),
        line(
            "the server, second step: the streams last and once, so that both parts share them",
            format!("wac plug {FOLDER}/part.wasm --plug {streams} -o {FOLDER}/server.wasm"),
        ),
        line(
            "run the server (-S inherit-network: it may use this machine's network)",
            format!("wasmtime run -S inherit-network {FOLDER}/server.wasm {ADDRESS}"),
        ),
        line(
            "run the client, in another terminal",
            format!("wasmtime run -S inherit-network {FOLDER}/client.wasm {ADDRESS}"),
        ),
    ]
}

/// Runs the lines, with programs from these folders first, and checks that the client got back what it sent.
///
/// # Errors
/// When a line fails, or the client says something else.
pub(crate) fn run(folders: &[PathBuf]) -> Result<()> {
    let mut session = Session::new(folders.iter().cloned());
    let mut said = Vec::new();
    for line in lines() {
        said = session.run(&line.command)?;
    }
    if said.iter().any(|line| line == "Received: 'Hello World!'") {
        return Ok(());
    }
    bail!("the client does not say that it received what it sent, but {said:?}")
}
