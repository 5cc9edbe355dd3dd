//! Clients without anything in common with the server: each gets the alert that other servers send, and others are
//! served.

use std::process::Stdio;
use std::time::Duration;

use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::output;
use asyncio_streams_tests::tls;

use super::SERVER;
use super::server::{Server, Way};

const DEADLINE: Duration = Duration::from_secs(60);

/// `handshake_failure` (RFC 8446, 6.2).
const HANDSHAKE_FAILURE: &str = "SSL alert number 40";

/// Returns the output of OpenSSL's client for a server with a P-256 key; `Err` when it was refused.
fn client(openssl: &Found, port: u16, arguments: &[&str]) -> Result<String, String> {
    let mut command = openssl.command();
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
    command.args(arguments).stdin(Stdio::null());
    output(&mut command, DEADLINE)
}

#[test]
fn nothing_in_common_is_a_handshake_failure() {
    let Some(openssl) = Found::get("openssl", "openssl").filter(|_| tls()) else {
        return;
    };
    let mut server = Server::start(Way::Upgrade);
    for (cause, arguments) in [
        (
            "suites for another kind of key",
            &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"][..],
        ),
        (
            "suites without ephemeral keys",
            &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        ),
        (
            "suites without authenticated encryption",
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
        ),
        (
            "a suite of TLS 1.3 that this side does not have",
            &["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"],
        ),
        (
            "signatures of TLS 1.2",
            &["-tls1_2", "-sigalgs", "RSA+SHA256"],
        ),
        (
            "signatures of TLS 1.3",
            &["-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"],
        ),
        ("groups of TLS 1.2", &["-tls1_2", "-groups", "P-521"]),
        ("groups of TLS 1.3", &["-tls1_3", "-groups", "P-521"]),
    ] {
        let said = client(&openssl, server.port, arguments).expect_err(cause);
        assert!(said.contains(HANDSHAKE_FAILURE), "{cause}: {said}");
        assert_eq!(server.program.line(), "TlsFailure::Handshake", "{cause}");
    }
    server.serves();
}

#[test]
fn a_name_without_a_certificate_gets_the_first() {
    let Some(openssl) = Found::get("openssl", "openssl").filter(|_| tls()) else {
        return;
    };
    let mut server = Server::start(Way::Upgrade);
    for (name, seen) in [("other.test", "other.test"), ("-noservername", "")] {
        let arguments = match seen {
            "" => vec!["-tls1_2", name],
            _ => vec!["-tls1_2", "-servername", name],
        };
        let said = client(&openssl, server.port, &arguments).expect("a connection");
        assert!(said.contains(&format!("CN = {SERVER}")), "{said}");
        let agreed = server.program.line();
        assert!(agreed.ends_with(&format!(" {seen} 0")), "{agreed}");
        assert_eq!(server.program.line(), "end");
    }
    server.serves();
}
