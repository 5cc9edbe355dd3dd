//! Runs the commands of the README: each line of its blocks that are marked as `sh`.

use std::path::PathBuf;
use std::{env, fs, process};

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;

use crate::shell::Session;
use crate::steps::Tally;
use crate::{Cli, checkout, debian, toolchain};

/// The component that needs clang.
const TLS: &str = "streams-tls.wasm";

/// The target of crates that users build with cargo alone.
const TARGET: &str = "wasm32-wasip2";

/// The name of the program and of its package.
const OPENSSL: &str = "openssl";

/// The tests have already built this program with their features. Building it alone would take minutes.
const BUILD: &str = "cargo build --release -p asyncio-streams-host";

/// The folder of a user's own crate, which the README creates beside the checkout.
const HELLO: &str = "../hello";

/// Reads the README.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn text() -> Result<String> {
    let file = checkout::root().join("README.md");
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Returns the first block of commands below a heading, with its comments.
pub(crate) fn first_block<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let (_, below) = text.split_once(&format!("\n## {heading}\n"))?;
    blocks(below).next()
}

/// The blocks that are marked as `sh`.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let begun = text.split("\n```sh\n").skip(1);
    begun.filter_map(|rest| Some(rest.split_once("```")?.0))
}

/// Runs the lines block by block. Programs are found in these folders first. A server that a block starts ends with the block.
///
/// Some lines are checked and not run: those of this automation and of the host program, which the tests run anyway.
///
/// # Errors
/// When a line fails.
pub(crate) fn run(folders: &[PathBuf], python: bool, tally: &mut Tally) -> Result<()> {
    let beside = env::temp_dir().join(format!("asyncio-streams-{}", process::id()));
    let hello = beside.join("hello");
    let done = run_blocks(folders, python, &hello.to_string_lossy(), tally);
    // The folder is missing where the lines were left out.
    let _ = fs::remove_dir_all(beside);
    done
}

fn run_blocks(folders: &[PathBuf], python: bool, hello: &str, tally: &mut Tally) -> Result<()> {
    for block in blocks(&text()?).map(commands) {
        let text = block.join("\n    ");
        let missing = if text.contains(TLS) && !can_protect()? {
            "there is no streams-tls.wasm"
        } else if text.contains("python") && !python {
            "there is no Python"
        } else if text.contains(TARGET) && toolchain::add_target(TARGET).is_err() {
            "rustup cannot add wasm32-wasip2"
        } else {
            ""
        };
        if !missing.is_empty() {
            eprintln!("\n!!! Left out, since {missing}:\n    {text}");
            tally.skipped += block.len() as u64;
            continue;
        }
        let mut session = Session::new(folders.iter().cloned());
        for line in block {
            let line = line.replace(HELLO, hello);
            if line.starts_with("cargo xtask ") {
                check_ours(&line)?;
            } else if line == BUILD {
                println!("$ {line}   (not run)");
            } else {
                check_echo(&line, &session.run(&line)?)?;
            }
            tally.passed += 1;
        }
    }
    Ok(())
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

/// The commands of a block: without comments, with continued lines joined.
fn commands(block: &str) -> Vec<String> {
    let joined: String = block.split("\\\n").map(str::trim_start).collect();
    // Two spaces separate a command from its comment.
    let commands = joined.lines().filter_map(|line| line.split("  #").next());
    let commands = commands
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    commands.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_count() {
        let text = "\n```sh\n# first\none --a  # why\ntwo \\\n  --b\n```\nword\n```text\nthree\n```\n```sh\nfour\n```\n";
        assert_eq!(
            blocks(text).map(commands).collect::<Vec<_>>(),
            [
                vec!["one --a".to_owned(), "two --b".to_owned()],
                vec!["four".to_owned()]
            ]
        );
    }

    #[test]
    fn the_demo_prints_the_commands_below_a_heading() {
        let text = "## One\n```sh\nfirst\n```\n\n## Two\nwords\n\n```sh\n# why\nsecond\n```\n```sh\nthird\n```\n";
        assert_eq!(first_block(text, "Two"), Some("# why\nsecond\n"));
        assert_eq!(first_block(text, "Three"), None);
        let readme = super::text().expect("the README");
        for (heading, program, times) in [("Compose", "wac plug", 3), ("Run", "wasmtime run", 2)] {
            let block = first_block(&readme, heading).expect("commands");
            assert_eq!(block.matches(program).count(), times);
        }
    }

    #[test]
    fn lines_that_do_not_run_are_checked() {
        assert!(check_ours("cargo xtask demo").is_ok());
        assert!(check_ours("cargo xtask dance").is_err());
        assert!(text().expect("the README").contains(BUILD));
    }

    #[test]
    fn a_client_must_get_its_message_back() {
        let line = "wasmtime run -S inherit-network target/by-hand/client.wasm 127.0.0.1:8888";
        assert!(check_echo(line, &[]).is_err());
        assert!(check_echo(line, &["Received: 'Hello World!'".to_owned()]).is_ok());
        assert!(check_echo("mkdir -p target/by-hand", &[]).is_ok());
    }
}
