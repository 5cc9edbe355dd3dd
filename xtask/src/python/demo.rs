//! `cargo xtask demo python`: the echo pair in Python, as components.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{COMPONENTIZE, Program, Programs, VERSION};
use crate::process::{Next, Running};
use crate::shell::serving_on;
use crate::{build, checkout, toolchain::Choice};

/// Far more than talking takes; the components are compiled before.
const DEADLINE: Duration = Duration::from_secs(120);

/// What both programs say last.
const LAST_WORDS: &str = "Close the connection";

/// Builds everything, makes components of the two programs, lets them talk, and prints how to do the same by hand.
///
/// # Errors
/// When there is no Python, something cannot be made, or they do not understand each other.
pub(crate) fn demo(choice: Choice) -> Result<()> {
    build::build(choice)?;
    let programs = Programs::get()?;
    run(&programs)?;
    println!("\nThe same by hand, in {}:\n", checkout::root().display());
    for (about, command) in lines() {
        println!("# {about}\n{command}");
    }
    println!(
        "\nwac is the program of the crate wac-cli, wasmtime that of wasmtime-cli, version 48."
    );
    Ok(())
}

/// The demo, once everything is there that it takes.
pub(crate) fn run(programs: &Programs) -> Result<()> {
    let compiled =
        |name: &str| programs.compiled(&Program::new(format!("examples/python/{name}.py")));
    let (server, client) = (compiled("echo_server")?, compiled("echo_client")?);
    eprintln!("\nThe echo server and the echo client in Python, run by wasmtime:\n");
    let mut server = start(programs, &server, &["127.0.0.1", "0"])?;
    let address = loop {
        let line = server
            .next_line()?
            .context("the server ended before it listened")?;
        println!("server | {line}");
        if let Some(address) = serving_on(&line) {
            break address;
        }
    };
    let (host, port) = address.rsplit_once(':').context("not an address")?;
    let mut client = start(programs, &client, &[host, port])?;
    let mut echoed = false;
    while let Some(line) = client.next_line()? {
        println!("client | {line}");
        echoed |= line == "Received: 'Hello World!'";
    }
    let status = client.finish()?;
    if !status.success() || !echoed {
        bail!("the client did not get back what it sent ({status})");
    }
    loop {
        match server.line_within(Duration::from_millis(200))? {
            Next::Line(line) => {
                println!("server | {line}");
                if line == LAST_WORDS {
                    // Dropping the server ends it.
                    return Ok(());
                }
            }
            Next::Silence => {}
            Next::End => bail!("the server ended in the middle of the conversation"),
        }
    }
}

fn start(programs: &Programs, compiled: &Path, arguments: &[&str]) -> Result<Running> {
    let mut command = checkout::clean(programs.wasmtime());
    command.args(["run", "--allow-precompiled", "-S", "inherit-network"]);
    command.arg(compiled).args(arguments).stdout(Stdio::piped());
    Running::start(&mut command, &compiled.display().to_string(), DEADLINE)
}

/// The lines that do the same by hand, each with what it does. The README has them too.
pub(crate) fn lines() -> Vec<(&'static str, String)> {
    const FOLDER: &str = "target/by-hand";
    let python = format!("{FOLDER}/python/bin/python");
    let build = |name: &str| {
        format!(
            "PYTHONPATH=bindings/python {python} -m asyncio_streams.build examples/python/{name}.py \
             --streams target/components/streams.wasm -o {FOLDER}/{name}.wasm"
        )
    };
    let run =
        |name: &str| format!("wasmtime run -S inherit-network {FOLDER}/{name}.wasm 127.0.0.1 8888");
    vec![
        (
            "an environment with the tool that makes components of Python programs",
            format!("python3 -m venv {FOLDER}/python"),
        ),
        (
            "",
            format!("{FOLDER}/python/bin/pip install --quiet {COMPONENTIZE}=={VERSION}"),
        ),
        (
            "the server, composed with the streams by wac",
            build("echo_server"),
        ),
        ("the client", build("echo_client")),
        (
            "run the server (-S inherit-network: it may use this machine's network)",
            run("echo_server"),
        ),
        ("run the client, in another terminal", run("echo_client")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_lines() {
        let readme = std::fs::read_to_string(checkout::root().join("README.md")).unwrap();
        let joined = readme.replace("\\\n    ", "");
        for (_, line) in lines() {
            assert!(joined.contains(&line), "{line}");
        }
    }
}
