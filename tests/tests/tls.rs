//! Protected connections: both ends in a program, programs against each other, and third-party programs.

#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/faults.rs"]
mod faults;
#[path = "tls/losses.rs"]
mod losses;
#[path = "tls/messages.rs"]
mod messages;
#[path = "tls/peers.rs"]
mod peers;
#[path = "tls/refusals.rs"]
mod refusals;
#[path = "tls/rustls_peer.rs"]
mod rustls_peer;
#[path = "tls/server.rs"]
mod server;

use std::time::Duration;

use asyncio_streams_tests::certificates::Authority;
use asyncio_streams_tests::{In, Program, tls};

/// The name in the servers' certificates.
const SERVER: &str = "server.test";

/// Runs a program that checks itself, with a certificate, in these places.
fn in_every_way(programs: Vec<(Program, In)>) {
    in_every_way_as(programs, &[SERVER]);
}

/// The same with a certificate for several names.
fn in_every_way_as(programs: Vec<(Program, In)>, names: &[&str]) {
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let server = authority.server_of(names);
    for (program, place) in programs {
        program
            .tls()
            .args([&authority.pem, &server.chain, &server.key])
            .deadline(Duration::from_secs(180))
            .run(place)
            .assert_success();
    }
}

#[test]
fn tls_pair() {
    in_every_way(Program::composed_everywhere("tls_pair"));
}

#[test]
fn storm() {
    in_every_way(Program::composed_everywhere("storm"));
}

#[test]
fn tls_upgrade() {
    in_every_way(Program::composed_and_linked("tls_upgrade"));
}

#[test]
fn tls_counted() {
    in_every_way(Program::composed_and_linked("tls_counted"));
}

#[test]
fn tls_contract() {
    in_every_way(Program::composed_and_linked("tls_contract"));
}

#[test]
fn tls_hosts() {
    let names = [
        "127.0.0.1",
        "::1",
        "localhost",
        SERVER,
        "xn--bcher-kva.test",
    ];
    in_every_way_as(Program::composed_and_linked("tls_hosts"), &names);
}

#[test]
fn tls_write_eof() {
    in_every_way(Program::composed_and_linked("tls_write_eof"));
}

#[test]
fn tls_absent() {
    for place in [In::Concurrent, In::CallAsync] {
        Program::new("tls_absent").run(place).assert_success();
    }
}
