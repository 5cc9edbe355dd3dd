//! Connections that cannot be made, and networks that are not granted.

use std::net::ToSocketAddrs;

use asyncio_streams_tests::peers::BlackHole;
use asyncio_streams_tests::{In, Network, Program, wasmtime};

/// Every way of embedding, and the `wasmtime` program if it is there.
fn places() -> Vec<In> {
    let embedded = [In::Concurrent, In::CallAsync];
    embedded
        .into_iter()
        .chain(wasmtime().map(|_| In::Wasmtime))
        .collect()
}

#[test]
fn connect_errors() {
    let addresses = ("localhost", 1)
        .to_socket_addrs()
        .expect("addresses of localhost");
    let mut hosts: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
    hosts.sort();
    hosts.dedup();
    for place in places() {
        Program::new("connect_errors")
            .args(&hosts)
            .run(place)
            .assert_success();
    }
}

#[test]
fn network_denied() {
    for place in places() {
        Program::new("network_denied")
            .network(Network::Nothing)
            .run(place)
            .assert_success();
    }
}

#[test]
fn deadlines_that_come_ever_sooner() {
    let hole = BlackHole::at(([127, 0, 0, 1], 0).into()).expect("a listening socket");
    for place in places() {
        // A handle that each call left behind would be one too many.
        Program::new("sooner_deadlines")
            .args([hole.address().port().to_string(), 5000.to_string()])
            .max_handles(1000)
            .run(place)
            .assert_success();
    }
}
