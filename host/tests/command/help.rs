//! The help, and wrong usage.

use std::path::Path;

use crate::{assert_fails, output};

/// Documents and help name the same number of handles for each kind of connection.
#[test]
fn the_handles_of_a_connection_are_the_same_everywhere() {
    use asyncio_streams_host::Limits;

    let (opened, accepted) = (Limits::HANDLES_PER_OPENED, Limits::HANDLES_PER_ACCEPTED);
    let help = output(["run", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let read = |file: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        std::fs::read_to_string(file).expect("a text")
    };
    for (place, text, expected) in [
        (
            "streams run --help",
            help,
            format!(
                "up to {opened} handles if the program opened it, {accepted} if a server accepted it"
            ),
        ),
        (
            "README.md",
            read("README.md"),
            format!("{accepted} handles each"),
        ),
        (
            "wit/README.md",
            read("wit/README.md"),
            format!(
                "{opened} handles for one that `open-connection` or `wrap` made, {accepted} for one that a server gave out"
            ),
        ),
        (
            "wit/streams.wit",
            read("wit/streams.wit"),
            format!("{accepted} for each connection"),
        ),
    ] {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(
            words.join(" ").contains(&expected),
            "{place} lacks {expected:?}"
        );
    }
}

/// `--help` names the option for a local address that the program chooses.
#[test]
fn the_help_names_the_grant_of_a_local_address() {
    let help = output(["run", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let words: Vec<&str> = help.split_whitespace().collect();
    let expected = "This option also grants a local address or port to connect from";
    assert!(words.join(" ").contains(expected), "{help}");
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &["run"][..],
        &["compose", "x.wasm"],
        &["serve", "x.wasm"],
        &["compile", "x.wasm"],
        &["nonsense"],
        &[],
    ] {
        assert_eq!(output(args).status.code(), Some(2), "{args:?}");
    }
    for (option, value, said) in [
        (
            "--allow-connect",
            "localhost",
            "`localhost` is not HOST:PORT: the port is missing",
        ),
        (
            "--allow-listen",
            "::1:80",
            "an IPv6 address stands in brackets",
        ),
        (
            "--allow-connect",
            "10.0.0.0/8:80",
            "there are no networks such as `10.0.0.0/8`",
        ),
        (
            "--allow-listen",
            "*.example.org:443",
            "there are no patterns",
        ),
        ("--env", "novalue", "it is not NAME=VALUE"),
        ("--dir", "::guest", "it is not HOST::GUEST"),
        ("--max-handles", "many", "invalid digit"),
    ] {
        let output = output(["run", option, value, "app.wasm"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
    assert_fails(
        ["run", "--bogus", "app.wasm"],
        2,
        "streams: run has no option --bogus; options of the program follow its file",
    );
}
