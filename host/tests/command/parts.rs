//! Parts of programs: composed, missing and denied ones.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{built, streams};
use crate::{assert_fails, output};

#[test]
fn files_that_are_not_programs_are_reported_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "hello").expect("written");
    let said = format!(
        "streams: {} is not a component: it is not WebAssembly",
        text.display()
    );
    assert_fails(["run".as_ref(), text.as_os_str()], 1, &said);

    let missing = output(["run", "no/such.wasm"]);
    assert_eq!(missing.status.code(), Some(1));
    let error = String::from_utf8_lossy(&missing.stderr);
    assert!(
        error.starts_with("streams: cannot read no/such.wasm: "),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);

    let streams = built("streams");
    let missing = output(["run".as_ref(), streams.as_os_str()]);
    assert_eq!(missing.status.code(), Some(1));
    let error = String::from_utf8_lossy(&missing.stderr);
    assert!(
        error.contains("does not export wasi:cli/run: it exports asyncio:streams/types@0.1.0"),
        "{error}"
    );
}

#[test]
fn an_incomplete_program_names_the_missing_part() {
    let client = built("examples/echo-client");
    let said = output(["run".as_ref(), client.as_os_str()]);
    let error = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        error.contains("is not complete: it imports asyncio:streams/"),
        "{error}"
    );
    assert!(
        error.ends_with("compose it with the streams component (streams.wasm)\n"),
        "{error}"
    );
}

/// A program of calls that block, with the streams component for calls that wait, or with none.
#[test]
fn a_program_that_blocks_is_advised_its_own_streams_component() {
    let client = built("examples/blocking-echo-client");
    let [client, streams] = [client, built("streams")].map(|part| part.display().to_string());
    let advice = "the streams component of WASI 0.2 (streams-p2.wasm)";
    for command in [
        &["run", &client][..],
        &["run", "--with", &streams, &client, "127.0.0.1:1"],
        &["compose", &client, "-o", "never.wasm"],
        &["compose", &streams, &client, "-o", "never.wasm"],
    ] {
        let said = output(command);
        let error = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(1), "{command:?}: {error}");
        assert!(error.trim_end().ends_with(advice), "{command:?}: {error}");
        assert!(!error.contains("(streams.wasm)"), "{command:?}: {error}");
    }
}

#[test]
fn parts_are_composed_in_any_order_and_missing_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.wasm");
    let [serve, handler, streams] = ["serve", "examples/echo-server", "streams"].map(built);
    let composed = output(
        ["compose", "-o"]
            .map(PathBuf::from)
            .iter()
            .chain([&out, &streams, &handler, &serve]),
    );
    assert!(
        composed.status.success(),
        "{}",
        String::from_utf8_lossy(&composed.stderr)
    );
    let said = String::from_utf8_lossy(&composed.stdout);
    let [serve, handler, streams] =
        [&serve, &handler, &streams].map(|part| part.display().to_string());
    assert!(
        said.starts_with(&format!("{} is {serve}\n", out.display())),
        "{said}"
    );
    for line in [
        format!("  {serve} uses {handler} for asyncio:streams/handler@0.1.0\n"),
        format!(
            "  {serve} uses {streams} for asyncio:streams/types@0.1.0, asyncio:streams/tls@0.1.0, asyncio:streams/streams@0.1.0, asyncio:streams/unix@0.1.0\n"
        ),
    ] {
        assert!(said.contains(&line), "{said}");
    }
    let help = output(["run".as_ref(), out.as_os_str(), "--help".as_ref()]);
    assert!(help.status.success());
    assert!(
        String::from_utf8_lossy(&help.stdout).starts_with("Usage: serve"),
        "{help:?}"
    );

    let missing = output(["compose", &serve, &handler, "-o", "never.wasm"]);
    assert_eq!(missing.status.code(), Some(1));
    let error = String::from_utf8_lossy(&missing.stderr);
    assert!(
        error.contains("which no part exports: add the streams component (streams.wasm)"),
        "{error}"
    );
    assert!(!Path::new("never.wasm").exists());
}

#[test]
fn a_denial_names_the_option() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let client = |option: &str, grant: &str| {
        let mut command = streams(["run", "--with"]);
        command
            .arg(built("streams"))
            .args([option, grant])
            .arg(built("examples/echo-client"))
            .arg(&address);
        command
    };
    let denied = client("--allow-connect", "127.0.0.1:1")
        .output()
        .expect("the program runs");
    let error = String::from_utf8_lossy(&denied.stderr);
    assert!(!denied.status.success());
    let note =
        format!("streams: connect to {address} denied; grant it with --allow-connect {address}\n");
    assert!(error.contains(&note), "{error}");

    let granted = client("--allow-connect", &address)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let (mut socket, _) = listener.accept().expect("a connection");
    let mut message = vec![0; 1024];
    let count = socket.read(&mut message).expect("a message");
    socket.write_all(&message[..count]).expect("sent");
    drop(socket);
    let granted = granted.wait_with_output().expect("it ends");
    assert!(
        granted.status.success(),
        "{}",
        String::from_utf8_lossy(&granted.stdout)
    );
}
