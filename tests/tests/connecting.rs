//! Connections that fail, and networks that are not granted.

use std::net::ToSocketAddrs;

use asyncio_streams_tests::peers::BlackHole;
use asyncio_streams_tests::{Network, Program};

#[test]
fn connect_errors() {
    let addresses = ("localhost", 1)
        .to_socket_addrs()
        .expect("addresses of localhost");
    let mut hosts: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
    hosts.sort();
    hosts.dedup();
    for (program, place) in Program::composed_and_linked("connect_errors") {
        program.args(&hosts).run(place).assert_success();
    }
}

#[test]
fn network_denied() {
    for (program, place) in Program::composed_and_linked("network_denied") {
        program
            .network(Network::Nothing)
            .run(place)
            .assert_success();
    }
}

#[test]
fn ever_shorter_deadlines() {
    let hole = BlackHole::at(([127, 0, 0, 1], 0).into()).expect("a listening socket");
    for (program, place) in Program::composed_and_linked("sooner_deadlines") {
        // One leaked handle for each call would exceed the limit.
        program
            .args([hole.address().port().to_string(), 5000.to_string()])
            .max_handles(1000)
            .run(place)
            .assert_success();
    }
}
