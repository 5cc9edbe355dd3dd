//! The commands that do the work of the automation by hand. The demo prints them; the README has them, and the tests
//! run those.

use crate::checkout;
use crate::shell::ADDRESS;

/// The folder of the files that the commands write.
const FOLDER: &str = "target/by-hand";

/// A command and its purpose.
pub(crate) struct Line {
    pub(crate) about: &'static str,
    pub(crate) command: String,
}

/// The commands that compose and run the echo client and the echo server, in the checkout's folder.
pub(crate) fn lines() -> Vec<Line> {
    let line = |about, command| Line { about, command };
    let components = checkout::shown(&checkout::components());
    let examples = format!("{components}/examples");
    let streams = format!("{components}/streams.wasm");
    vec![
        line(
            "a folder for the composed programs",
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
