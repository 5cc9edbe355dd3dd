//! The programs of at most ten lines to which the README's first table links. The README's own commands run those for
//! Python and for operators; the echo pairs run that for Go.

use asyncio_streams_tests::{In, Program, folder};
use tokio::runtime;
use tokio::time::timeout;

use crate::peers::client;
use crate::{PATIENCE, serve};

#[path = "../../../examples/embed.rs"]
#[allow(
    unreachable_pub,
    reason = "an example to copy, which a program may put into a module"
)]
mod embed;

#[test]
fn a_server_and_its_client_in_rust() {
    for place in In::every_place() {
        let outcome = Program::example("hello").run(place).assert_success();
        assert_eq!(outcome.stdout, "Hello World!\n");
    }
}

#[test]
fn the_handler_in_rust_answers_the_client_in_cpp_and_the_embedding_program() {
    for place in In::every_place() {
        let (server, address) = serve(Program::example_handler("echo"), place);
        if let Some(client) = client("c/hello", address) {
            let outcome = client.run(place).assert_success();
            assert_eq!(outcome.stdout, "Hello World!\n");
        }
        let streams = folder().join("streams.wasm").display().to_string();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let answer = runtime.block_on(async {
            let answer = embed::echo(&streams, address.port());
            timeout(PATIENCE, answer).await.expect("an answer in time")
        });
        assert_eq!(answer.expect("an answer"), b"Hello World!\n");
        assert!(server.is_running());
        assert_eq!(server.stderr().text(), "");
    }
}
