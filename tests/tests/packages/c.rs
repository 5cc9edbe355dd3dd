//! The archive for C, as a user without a checkout uses it.

use std::path::Path;
use std::process::Command;

use asyncio_streams_host::compose::{Part, compose};
use asyncio_streams_host::{Engine, Network, Program};
use asyncio_streams_tests::native::output;
use asyncio_streams_tests::{In, component, generator};
use tokio::runtime;
use tokio::time::timeout;

use crate::{DEADLINE, VERSION, made};

#[test]
fn the_archive_for_c_builds_a_program_by_the_command_of_its_readme() {
    // Without Debian's clang 19 there is no generated code to pack.
    if asyncio_streams_tests::Program::foreign("c/echo_client").is_none() {
        return;
    }
    let Some((folder, archive)) = made("c", &format!("asyncio-streams-c-{VERSION}.tar.gz")) else {
        return;
    };
    let mut unpack = Command::new("tar");
    unpack.arg("--extract").arg("--file").arg(archive);
    output(unpack.arg("--directory").arg(folder.path()), DEADLINE).expect("unpacked");
    let unpacked = folder.path().join("c");
    let readme = std::fs::read_to_string(unpacked.join("README.md")).expect("a description");
    let (_, rest) = readme
        .split_once("The archive of a release")
        .expect("a section");
    let (_, commands) = rest.split_once("```sh\n").expect("commands");
    let (compile, encode) = commands
        .split_once("wasm-tools component new ")
        .expect("two commands");
    let mut shell = Command::new("bash");
    output(
        shell.args(["-ec", compile]).current_dir(&unpacked),
        DEADLINE,
    )
    .expect("a module");
    // The project's own program stands for wasm-tools, with the same adapter.
    assert!(encode.starts_with("core.wasm --adapt wasi_snapshot_preview1.reactor.wasm "));
    assert!(
        unpacked
            .join("wasi_snapshot_preview1.reactor.wasm")
            .is_file()
    );
    let mut encode = Command::new(generator().expect("the generator"));
    encode.args(["component", "core.wasm", "--out", "echo_client.wasm"]);
    output(encode.current_dir(&unpacked), DEADLINE).expect("a component");
    assert_eq!(
        echoed(&unpacked.join("echo_client.wasm")),
        "Send: 'Hello World!'\nReceived: 'Hello World!'\nClose the connection\n"
    );
}

/// The output of a client, composed with `streams.wasm`, whose peer echoes lines.
fn echoed(client: &Path) -> String {
    let mut server = asyncio_streams_tests::Program::example_handler("echo-server")
        .args(["127.0.0.1:0"])
        .start(In::Concurrent);
    let address = server.listens();
    let client = Part::read(client).expect("a component");
    let composed = compose([client, Part::new("streams", component("streams"))]).expect("composed");
    let engine = Engine::new().expect("an engine");
    let program = Program::from_bytes(&engine, "client", composed.bytes()).expect("a program");
    let run = program
        .command()
        .arg(address.ip().to_string())
        .arg(address.port().to_string())
        .network(Network::all())
        .output();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let said = runtime.block_on(async { timeout(DEADLINE, run).await });
    let said = said.expect("an end in time").expect("a run");
    String::from_utf8(said.stdout).expect("text")
}
