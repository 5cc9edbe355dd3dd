//! Runs what the README tells people to type: each line of its blocks that are marked as `sh`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;

use crate::shell::Session;
use crate::steps::Tally;
use crate::tools::Tool;
use crate::{Cli, by_hand, checkout, debian, tools};

/// The component that is built where there is a clang.
const TLS: &str = "streams-tls.wasm";

/// The program and the package.
const OPENSSL: &str = "openssl";

/// Runs the lines block by block, with programs from these folders first; a server that a block starts is ended with
/// it. The lines that the demo prints must be among them. Lines that run this automation, or build the host program, are
/// looked at only: the tests run all of it. Lines that install a program must name the version that the tests have.
///
/// # Errors
/// When a line fails, or the README has not all that the demo prints.
pub(crate) fn run(folders: &[PathBuf], python: bool, tally: &mut Tally) -> Result<()> {
    let file = checkout::root().join("README.md");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let blocks = blocks(&text);
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
        let mut session = Session::new(folders.iter().cloned());
        for line in block {
            match line.split_once(' ') {
                Some(("cargo", rest)) if rest.starts_with("xtask") => check_ours(&line)?,
                Some(("cargo", rest)) if rest.starts_with("install ") => check_install(&line)?,
                Some(("cargo", rest)) if rest.starts_with("build ") => check_build(&line)?,
                _ => check_echo(&line, &session.run(&line)?)?,
            }
            tally.passed += 1;
        }
    }
    Ok(())
}

/// Whether there is what the lines with TLS take; gets the program that makes certificates.
fn can_protect() -> Result<bool> {
    if !checkout::components().join(TLS).exists() {
        return Ok(false);
    }
    if checkout::on_path(OPENSSL).is_none() {
        debian::apt_install(&[OPENSSL]).context("the README's lines with TLS take openssl")?;
    }
    Ok(true)
}

fn check_ours(line: &str) -> Result<()> {
    println!("$ {line}   (looked at only)");
    Cli::try_parse_from(line.split_whitespace().skip(1))
        .map(drop)
        .with_context(|| format!("`{line}` is no command of the automation"))
}

/// A client of an echo server prints what it got back.
fn check_echo(line: &str, printed: &[String]) -> Result<()> {
    let is_client = line.contains("client.wasm 127.0.0.1") && line.contains(" run ");
    if is_client
        && !printed
            .iter()
            .any(|line| line == "Received: 'Hello World!'")
    {
        bail!("`{line}` does not print that it received what it sent, but {printed:?}");
    }
    Ok(())
}

/// The tests have built the same program, with the features that the tests need. With others it would take minutes again.
fn check_build(line: &str) -> Result<()> {
    println!("$ {line}   (looked at only)");
    if line == "cargo build --release -p asyncio-streams-host" && tools::streams()?.is_file() {
        return Ok(());
    }
    bail!("`{line}` builds something else than the program of the tests")
}

fn check_install(line: &str) -> Result<()> {
    println!("$ {line}   (looked at only)");
    let words: Vec<_> = line.split_whitespace().collect();
    if Tool::ALL.iter().any(|tool| tool.is_installed_by(&words)) {
        return Ok(());
    }
    bail!("`{line}` installs something else than the tests run with")
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
                // A comment after a command is set off by two blanks.
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
    fn lines_that_are_looked_at_can_be_wrong() {
        assert!(check_ours("cargo xtask demo").is_ok());
        assert!(check_ours("cargo xtask dance").is_err());
        assert!(check_install("cargo install wasmtime-cli --version 48.0.8 --locked").is_ok());
        assert!(check_install("cargo install wasmtime-cli --version 47.0.0 --locked").is_err());
        assert!(check_install("cargo install wasmtime-cli").is_err());
        assert!(check_install("cargo install something").is_err());
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
