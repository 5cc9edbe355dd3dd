//! TLS between two runs of the checks, on one host.

use asyncio_streams_tests::certificates::Authority;
use asyncio_streams_tests::{Program, Running};

/// Runs the server and its client.
pub(crate) fn talk(start: impl Fn(Program) -> Running) {
    let authority = Authority::new();
    let identity = authority.server("server.test");
    let server = Program::blocking("blocking")
        .tls()
        .args(["0", "tls_server"])
        .variable("CHAIN", &identity.chain)
        .variable("KEY", &identity.key);
    let mut server = start(server);
    let ports = server.line();
    let (port, plain_port) = ports.split_once(' ').expect("two ports");
    let client = Program::blocking("blocking")
        .tls()
        .args([port, "tls_client"])
        .variable("ROOTS", &authority.pem)
        .variable("PLAIN_PORT", plain_port);
    start(client).wait().assert_success();
    server.wait().assert_success();
}
