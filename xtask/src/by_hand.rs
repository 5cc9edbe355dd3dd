//! The lines that a person types to do by hand what the automation does: printed by the demo, run by the tests.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::checkout;
use crate::shell::{ADDRESS, Session};

/// Where they put what they make.
const FOLDER: &str = "target/by-hand";

/// One line, and what it does.
pub(crate) struct Line {
    pub(crate) about: &'static str,
    pub(crate) command: String,
}

/// The lines that compose the echo server and the echo client. Run them in the checkout's folder.
pub(crate) fn compose() -> Vec<Line> {
    let components = checkout::shown(&checkout::components());
    let examples = format!("{components}/examples");
    let streams = format!("{components}/streams.wasm");
    vec![
        Line {
            about: "a folder for what is composed here",
            command: format!("mkdir -p {FOLDER}"),
        },
        Line {
            about: "the server, first step: the program that listens, with the handler that it calls",
            command: format!(
                "wac plug {components}/serve.wasm --plug {examples}/echo-server.wasm -o {FOLDER}/echo-server.part.wasm"
            ),
        },
        Line {
            about: "the server, second step: the streams last and once, so that both parts share them",
            command: format!(
                "wac plug {FOLDER}/echo-server.part.wasm --plug {streams} -o {FOLDER}/echo-server.wasm"
            ),
        },
        Line {
            about: "the client: one part and the streams",
            command: format!(
                "wac plug {examples}/echo-client.wasm --plug {streams} -o {FOLDER}/echo-client.wasm"
            ),
        },
    ]
}

/// The line that runs the server, until it is interrupted.
pub(crate) fn run_server() -> Line {
    Line {
        about: "run the server (-S inherit-network: it may use this machine's network)",
        command: format!("wasmtime run -S inherit-network {FOLDER}/echo-server.wasm {ADDRESS}"),
    }
}

/// The line that runs the client.
pub(crate) fn run_client() -> Line {
    Line {
        about: "run the client, in another terminal",
        command: format!("wasmtime run -S inherit-network {FOLDER}/echo-client.wasm {ADDRESS}"),
    }
}

/// Runs the lines with the programs from these folders, and checks that the client got back what it sent.
///
/// # Errors
/// When a line fails, or the client says something else.
pub(crate) fn run(folders: &[PathBuf]) -> Result<()> {
    let mut session = Session::new(folders.iter().cloned());
    for line in compose() {
        session.run(&line.command)?;
    }
    session.run(&run_server().command)?;
    let said = session.run(&run_client().command)?;
    if said
        .iter()
        .any(|line| line.contains("Received: 'Hello World!'"))
    {
        return Ok(());
    }
    bail!("the client does not say that it received what it sent, but {said:?}")
}
