//! Runs the commands of the README: each line of its blocks that are marked as `sh`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;

use crate::shell::Session;
use crate::steps::Tally;
use crate::{Cli, by_hand, checkout, debian, process, tools};

/// The component that needs clang.
const TLS: &str = "streams-tls.wasm";

/// The target of crates that users build with cargo alone.
const TARGET: &str = "wasm32-wasip2";

/// The name of the program and of its package.
const OPENSSL: &str = "openssl";

/// Runs the lines block by block. Programs are found in these folders first. A server that a block starts ends with the block.
///
/// Some lines are checked and not run: those of this automation and of the host program, which the tests run anyway. The README must
/// contain all commands that the demo prints.
///
/// # Errors
/// When a line fails, or a command of the demo is missing.
pub(crate) fn run(folders: &[PathBuf], python: bool, tally: &mut Tally) -> Result<()> {
    let file = checkout::root().join("README.md");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let blocks = blocks(&text);
    let beside = Beside::new();
    for line in by_hand::lines() {
        if !blocks.concat().contains(&line.command) {
            bail!(
                "{} does not have a line that the demo prints: {}",
                file.display(),
                line.command
            );
        }
    }
    for block in blocks {
        if block.concat().contains(TLS) && !can_protect()? {
            eprintln!("\n!!! Left out: the lines with {TLS}, which was not built");
            continue;
        }
        if !python && block.iter().any(|line| line.contains("python")) {
            eprintln!(
                "\n!!! Left out, since there is no Python: {}",
                block.join("\n    ")
            );
            tally.skipped += block.len() as u64;
            continue;
        }
        if block.concat().contains(TARGET) && !has_target() {
            eprintln!("\n!!! Left out, since rustup cannot add {TARGET}: the program in Rust");
            tally.skipped += block.len() as u64;
            continue;
        }
        let mut session = Session::new(folders.iter().cloned());
        for line in block {
            let line = beside.replace(&line);
            match line.split_once(' ') {
                Some(("cargo", rest)) if rest.starts_with("xtask") => check_ours(&line)?,
                Some(("cargo", rest)) if rest.starts_with("build ") => check_build(&line)?,
                _ => check_echo(&line, &session.run(&line)?)?,
            }
            tally.passed += 1;
        }
    }
    Ok(())
}

/// The folder of a user's own crate, which the README creates beside the checkout.
const HELLO: &str = "../hello";

/// The temporary folder in which the tests create that crate. The drop deletes it.
struct Beside(PathBuf);

impl Beside {
    fn new() -> Self {
        let name = format!("asyncio-streams-{}", std::process::id());
        Beside(std::env::temp_dir().join(name))
    }

    fn replace(&self, line: &str) -> String {
        line.replace(HELLO, &self.0.join("hello").to_string_lossy())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // The folder may be missing.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns whether rustup has, or can add, the target of crates that cargo alone builds.
fn has_target() -> bool {
    checkout::on_path("rustup").is_some_and(|rustup| {
        let mut command = checkout::clean(rustup);
        command.args(["target", "add", TARGET]);
        process::run(&mut command, "`rustup target add`").is_ok()
    })
}

/// Whether the lines with TLS can run. Installs the program that makes certificates.
fn can_protect() -> Result<bool> {
    if !checkout::components().join(TLS).exists() {
        return Ok(false);
    }
    if checkout::on_path(OPENSSL).is_none() {
        debian::apt_install(&[OPENSSL]).context("the README's lines with TLS need openssl")?;
    }
    Ok(true)
}

fn check_ours(line: &str) -> Result<()> {
    println!("$ {line}   (checked, not run)");
    Cli::try_parse_from(line.split_whitespace().skip(1))
        .map(drop)
        .with_context(|| format!("`{line}` is no command of the automation"))
}

/// Checks that the client of an echo server printed the echo.
fn check_echo(line: &str, printed: &[String]) -> Result<()> {
    let expected = if line.contains("client.wasm 127.0.0.1") && line.contains(" run ") {
        "Received: 'Hello World!'"
    } else if line.ends_with("hello.wasm") {
        "Hello World!"
    } else {
        return Ok(());
    };
    if !printed.iter().any(|line| line == expected) {
        bail!("`{line}` does not print the echo of its message, but {printed:?}");
    }
    Ok(())
}

/// The tests have already built this program with their features. Building it alone would take minutes.
fn check_build(line: &str) -> Result<()> {
    println!("$ {line}   (checked, not run)");
    if line == "cargo build --release -p asyncio-streams-host" && tools::streams()?.is_file() {
        return Ok(());
    }
    bail!("`{line}` does not build the program of the tests")
}

/// The commands of each block: without comments, with continued lines joined.
fn blocks(text: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut block: Option<Vec<String>> = None;
    let mut begun = String::new();
    for line in text.lines().map(str::trim) {
        match &mut block {
            None if line == "```sh" => block = Some(Vec::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(block.take()),
            Some(lines) => {
                // Two spaces separate a command from its comment.
                let line = line
                    .split_once("  #")
                    .map_or(line, |(command, _)| command.trim_end());
                if let Some(part) = line.strip_suffix('\\') {
                    begun += part;
                } else if !line.is_empty() && !line.starts_with('#') {
                    lines.push(std::mem::take(&mut begun) + line);
                }
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_count() {
        let text = "```sh\n# first\none --a  # why\ntwo \\\n  --b\n```\nword\n```text\nthree\n```\n```sh\nfour\n```\n";
        assert_eq!(
            blocks(text),
            [
                vec!["one --a".to_owned(), "two --b".to_owned()],
                vec!["four".to_owned()]
            ]
        );
    }

    #[test]
    fn lines_that_do_not_run_are_checked() {
        assert!(check_ours("cargo xtask demo").is_ok());
        assert!(check_ours("cargo xtask dance").is_err());
        assert!(check_build("cargo build --release -p something").is_err());
    }

    #[test]
    fn a_client_must_get_its_message_back() {
        let line = "wasmtime run -S inherit-network target/by-hand/client.wasm 127.0.0.1:8888";
        assert!(check_echo(line, &[]).is_err());
        assert!(check_echo(line, &["Received: 'Hello World!'".to_owned()]).is_ok());
        assert!(check_echo("mkdir -p target/by-hand", &[]).is_ok());
    }
}
