//! Faulty certificates: the side that verifies one refuses it, and both sides report the reason.

use asyncio_streams_tests::certificates::{Authority, Identity, Time, Use, self_signed};
use asyncio_streams_tests::{In, Program, tls};

use super::SERVER;
use super::server::{Server, Way};

/// The messages of the client and the server.
struct Said {
    client: String,
    server: String,
}

/// Connects one client to one server; each trusts one authority.
fn meet(authority: &Authority, server: &Identity, client: Option<&Identity>, roots: &str) -> Said {
    let mut running = Server::with(Way::Upgrade, Authority::new(), server, roots, "");
    let none = String::new();
    let (chain, key) = client.map_or((&none, &none), |client| (&client.chain, &client.key));
    let port = running.port.to_string();
    let outcome = Program::new("tls_client")
        .tls()
        .args([port.as_str(), SERVER, &authority.pem, chain, key])
        .run(In::Concurrent)
        .assert_success();
    Said {
        client: outcome.stdout.trim_end().to_owned(),
        server: running.program.line(),
    }
}

fn certificate(kind: &str) -> String {
    format!("TlsFailure::Certificate(CertificateFailure::{kind})")
}

#[test]
fn of_servers() {
    if !tls() {
        return;
    }
    let authority = Authority::named("the authority");
    let said = meet(&authority, &authority.server(SERVER), None, "");
    assert_eq!(said.client, "1.3 TLS_CHACHA20_POLY1305_SHA256 line hello");
    let of = |usage, time| authority.issue(SERVER, usage, time);
    // The server receives an alert, and there are fewer alerts than reasons (RFC 8446, 6.2).
    for (identity, client, server) in [
        (of(Use::Server, Time::Over), "Expired", "Expired"),
        (of(Use::Server, Time::ToCome), "NotYetValid", "Expired"),
        (authority.server("other.test"), "NameMismatch", "Other"),
        (of(Use::Client, Time::Now), "WrongUsage", "WrongUsage"),
        (
            Authority::new().server(SERVER),
            "UnknownIssuer",
            "UnknownIssuer",
        ),
        (self_signed(SERVER), "UnknownIssuer", "UnknownIssuer"),
    ] {
        let said = meet(&authority, &identity, None, "");
        assert_eq!(said.client, certificate(client));
        assert_eq!(said.server, certificate(server), "the client said {client}");
    }
    // One with the same name as the authority.
    let forged = Authority::named("the authority").server(SERVER);
    let said = meet(&authority, &forged, None, "");
    assert_eq!(said.client, certificate("UnknownIssuer"));
    assert_eq!(said.server, "TlsFailure::Protocol");
}

#[test]
fn of_clients() {
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let server = authority.server(SERVER);
    let said = meet(
        &authority,
        &server,
        Some(&authority.client()),
        &authority.pem,
    );
    assert_eq!(said.client, "1.3 TLS_CHACHA20_POLY1305_SHA256 line hello");
    assert!(
        said.server.ends_with(" 1"),
        "no certificate: {}",
        said.server
    );
    let of = |usage, time| Some(authority.issue("client.test", usage, time));
    for (identity, server_says, client_hears) in [
        (of(Use::Client, Time::Over), "Expired", "Expired"),
        (of(Use::Client, Time::ToCome), "NotYetValid", "Expired"),
        (of(Use::Server, Time::Now), "WrongUsage", "WrongUsage"),
        (
            Some(Authority::new().client()),
            "UnknownIssuer",
            "UnknownIssuer",
        ),
        (None, "Required", "Required"),
    ] {
        let said = meet(&authority, &server, identity.as_ref(), &authority.pem);
        assert_eq!(said.server, certificate(server_says));
        assert_eq!(
            said.client,
            certificate(client_hears),
            "the server said {server_says}"
        );
    }
}
