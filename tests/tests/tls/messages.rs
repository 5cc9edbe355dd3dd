//! The messages about faulty certificates, keys and names: each names the argument, the entry, and the remedy.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use asyncio_streams_tests::certificates::{Authority, Identity, Time, Use, self_signed};
use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::output;
use asyncio_streams_tests::{In, Program, tls};
use tempfile::TempDir;

use super::SERVER;
use super::server::{Server, Way};

/// An action, its inputs, and the parts that its message must contain: all of these, or `ok` without any.
struct Case {
    what: &'static str,
    first: String,
    second: String,
    said: &'static [&'static str],
}

fn case(
    what: &'static str,
    first: impl Into<String>,
    second: impl Into<String>,
    said: &'static [&'static str],
) -> Case {
    Case {
        what,
        first: first.into(),
        second: second.into(),
        said,
    }
}

/// Runs all cases in one program, in each place, and checks the messages.
fn check(cases: &[Case]) {
    for place in In::each_host() {
        let arguments = cases
            .iter()
            .flat_map(|case| [case.what, &case.first, &case.second]);
        let outcome = Program::new("tls_messages")
            .tls()
            .args(arguments)
            .deadline(Duration::from_secs(120))
            .run(place)
            .assert_success();
        let said: Vec<&str> = outcome.stdout.lines().collect();
        assert_eq!(said.len(), cases.len(), "{}", outcome.stdout);
        for (case, said) in cases.iter().zip(said) {
            for part in case.said {
                assert!(
                    said.contains(part),
                    "{} with\n{}\n{}\nsaid: {said}\nwithout: {part}",
                    case.what,
                    case.first,
                    case.second
                );
            }
            assert_no_debug_text(said);
        }
    }
}

/// Messages must not contain Rust's names of cases and types.
fn assert_no_debug_text(said: &str) {
    for name in [
        "BadEncoding",
        "OtherError",
        "Other(",
        "UnknownIssuer",
        "NotValidForName",
        "DnsName",
        "InvalidCertificate",
        "KeyMismatch",
        "InvalidPurpose",
        "{ ",
    ] {
        assert!(!said.contains(name), "the name of a case of Rust: {said}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("hex:".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string grows");
        text
    })
}

/// Replaces one line of base64 by another, which keeps it base64.
fn damaged(pem: &str) -> String {
    let mut lines: Vec<&str> = pem.lines().collect();
    lines[2] = lines[1];
    lines.join("\n")
}

fn without_last_line(pem: &str) -> String {
    let lines: Vec<&str> = pem.trim_end().lines().collect();
    lines[..lines.len() - 1].join("\n")
}

#[test]
fn of_certificates() {
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let Identity { chain, key } = authority.server(SERVER);
    let bad = damaged(&chain);
    let bundle = format!("{}\n{}\n{bad}\n{chain}", authority.pem, authority.pem);
    let with_bad = format!("{chain}\n{bad}");
    let mut cases = vec![
        case("server", chain.as_str(), key.as_str(), &["ok"]),
        case(
            "server",
            format!("{key}{chain}"),
            format!("{chain}{key}"),
            &["ok"],
        ),
        case("client", chain.as_str(), key.as_str(), &["ok"]),
        case(
            "server",
            bad.as_str(),
            key.as_str(),
            &["certificate chain: entry 1 (CERTIFICATE, line 1) is damaged, or is no X.509"],
        ),
        case(
            "server",
            with_bad,
            key.as_str(),
            &[
                "certificate chain: entry 2 (CERTIFICATE, line ",
                ") is damaged",
            ],
        ),
        case(
            "server",
            chain.replace("MII", "M!I"),
            key.as_str(),
            &[
                "certificate chain: entry 1 (CERTIFICATE, line 1) is damaged",
                "not base64",
            ],
        ),
        case(
            "server",
            key.as_str(),
            chain.as_str(),
            &[
                "certificate chain: entry 1 (PRIVATE KEY, line 1) is a private key",
                "exchanged",
            ],
        ),
        case("server", "", key.as_str(), &["certificate chain: is empty"]),
        case(
            "server",
            "/etc/ssl/server.pem",
            key.as_str(),
            &["certificate chain: looks like the path of a file: give what the file contains"],
        ),
        case(
            "server",
            chain.replace('\n', "\\n"),
            key.as_str(),
            &["certificate chain: entry 1 has the two characters \\ and n"],
        ),
        case(
            "server",
            chain.replace("CERTIFICATE", "CERTIFICATE REQUEST"),
            key.as_str(),
            &["certificate chain: entry 1 (CERTIFICATE REQUEST, line 1) is a request"],
        ),
        case(
            "server",
            chain.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            key.as_str(),
            &["openssl x509"],
        ),
        case(
            "server",
            hex(b"\x30\x03\x02\x01\x03"),
            key.as_str(),
            &["certificate chain: is a PKCS #12 file"],
        ),
        case(
            "server",
            hex(b"\x30\x00"),
            key.as_str(),
            &["certificate chain: is damaged, or is no X.509"],
        ),
        case(
            "client",
            "hello",
            key.as_str(),
            &["certificate chain: is neither PEM nor DER"],
        ),
        case("no roots", "", "", &["roots: there are none", "built-in"]),
    ];
    for what in ["roots", "client roots"] {
        cases.push(case(
            what,
            bundle.as_str(),
            "",
            &["roots: entry 3 (CERTIFICATE, line ", "damaged"],
        ));
        cases.push(case(what, "roots.pem", "", &["roots: looks like the path"]));
        cases.push(case(
            what,
            key.as_str(),
            "",
            &["roots: entry 1 (PRIVATE KEY, line 1)"],
        ));
        cases.push(case(
            what,
            without_last_line(&chain),
            "",
            &["roots: entry 1 (CERTIFICATE, line 1) has no line -----END CERTIFICATE-----"],
        ));
    }
    cases.push(case("client roots", "", "", &["client roots: is empty"]));
    check(&cases);
}

#[test]
fn of_keys_in_pem() {
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let Identity { chain, key } = authority.server(SERVER);
    let other = authority.server(SERVER);
    let both = format!("{}\n{chain}", other.chain);
    let cases = [
        case(
            "server",
            chain.as_str(),
            other.key.as_str(),
            &["key: does not belong to the first certificate of the certificate chain"],
        ),
        case(
            "server",
            both,
            key.as_str(),
            &[
                "key: belongs to certificate 2 of the certificate chain",
                "put that one first",
            ],
        ),
        case(
            "server",
            chain.as_str(),
            without_last_line(&key),
            &["key: entry 1 (PRIVATE KEY, line 1) has no line -----END PRIVATE KEY-----"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace('\n', " "),
            &["key: entry 1 is all on one line"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace('\n', ""),
            &["key: entry 1 is all on one line"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace('\n', "\\n"),
            &["key: entry 1 has the two characters \\ and n"],
        ),
        case(
            "server",
            chain.as_str(),
            "keys/server.key",
            &["key: looks like the path of a file"],
        ),
        case(
            "server",
            chain.as_str(),
            key.lines().nth(1).unwrap_or_default(),
            &["key: is base64 without the lines"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace("-----BEGIN", "----BEGIN"),
            &["key: ", "five hyphens"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace("\nM", "\n!"),
            &["key: entry 1", "not base64"],
        ),
        case(
            "server",
            chain.as_str(),
            damaged(&key),
            &["key: entry 1 (PRIVATE KEY, line 1) is "],
        ),
        case("server", chain.as_str(), "", &["key: is empty"]),
        case(
            "server",
            chain.as_str(),
            chain.as_str(),
            &["key: entry 1 (CERTIFICATE, line 1) is a certificate, not a private key"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace("PRIVATE", "PUBLIC"),
            &["key: ", "PUBLIC KEY"],
        ),
        case(
            "server",
            chain.as_str(),
            key.replace("PRIVATE", "OPENSSH PRIVATE"),
            &[
                "key: entry 1 (OPENSSH PRIVATE KEY, line 1) is in the format of OpenSSH",
                "ssh-keygen",
            ],
        ),
        case(
            "client",
            chain.as_str(),
            key.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            &[
                "key: entry 1 (ENCRYPTED PRIVATE KEY, line 1) is encrypted",
                "openssl pkey",
            ],
        ),
        case("alpn", "h2", "", &["protocols: entry 2 has 0 bytes"]),
        case(
            "name",
            "bu\u{308}cher",
            "",
            &["server name \"bu\u{308}cher\" ", "xn--"],
        ),
        case(
            "name",
            "a b",
            "",
            &["server name \"a b\" has a space in it"],
        ),
        case("name", "a\nb\u{1b}", "", &["server name \"a\\nb\\u{1b}\" "]),
        case("name", "bücher.example", "", &["ok"]),
    ];
    check(&cases);
}

/// Kinds of keys that are in use and that this component does not support.
#[test]
fn of_kinds_of_keys() {
    let Some(openssl) = Found::get("openssl", "openssl").filter(|_| tls()) else {
        return;
    };
    let chain = Authority::new().server(SERVER).chain;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let make = |arguments: &[&str]| made(&openssl, &folder, arguments);
    let curve = |name: &str| {
        make(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            &format!("ec_paramgen_curve:{name}"),
        ])
    };
    let rsa = |bits: &str| {
        make(&[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            &format!("rsa_keygen_bits:{bits}"),
        ])
    };
    let save = |name: &str, content: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, content).expect("a file");
        file.display().to_string()
    };
    let p256 = save("p256", &curve("P-256"));
    let rsa_1024 = save("rsa", &rsa("1024"));
    let pkey = |arguments: &[&str]| make(&[&["pkey", "-in", &p256], arguments].concat());
    let encrypted = ["-aes256", "-passout", "pass:secret"];
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let cases = [
        (
            text(curve("P-521")),
            &["is a P-521 key, which is not supported: take P-256"][..],
        ),
        (
            text(curve("secp256k1")),
            &["is a secp256k1 key, which is not supported"],
        ),
        (
            text(rsa("1024")),
            &[
                "is an RSA key of 1024 bits, which is not supported",
                "2,048",
            ],
        ),
        (
            text(make(&["rsa", "-traditional", "-in", &rsa_1024])),
            &["entry 1 (RSA PRIVATE KEY, line 1) is an RSA key of 1024 bits"],
        ),
        (
            text(make(&[
                "genpkey",
                "-algorithm",
                "RSA-PSS",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
            ])),
            &["is an RSA-PSS key, which is not supported"],
        ),
        (
            text(make(&["genpkey", "-algorithm", "ED448"])),
            &["is an Ed448 key"],
        ),
        (
            text(make(&["genpkey", "-algorithm", "X25519"])),
            &["X25519 key, which cannot sign"],
        ),
        (
            text(pkey(&encrypted)),
            &["entry 1 (ENCRYPTED PRIVATE KEY, line 1) is encrypted"],
        ),
        (
            text(make(&[&["ec", "-in", &p256][..], &encrypted].concat())),
            &["entry 1 (EC PRIVATE KEY, line 1) is encrypted"],
        ),
        (
            text(make(&["ec", "-in", &p256, "-no_public"])),
            &[
                "is a P-256 key that is damaged or lacks its public half",
                "openssl pkey",
            ],
        ),
        (
            text(pkey(&["-pubout"])),
            &["is the public key: give the private one"],
        ),
        // Valid keys, in each of the formats, belong to another certificate.
        (text(pkey(&[])), &["does not belong to"]),
        (text(make(&["ec", "-in", &p256])), &["does not belong to"]),
        (hex(&pkey(&["-outform", "DER"])), &["does not belong to"]),
        (
            text(make(&["genpkey", "-algorithm", "ED25519"])),
            &["does not belong to"],
        ),
        (text(rsa("2048")), &["does not belong to"]),
        (
            hex(&make(&[
                "pkcs8", "-topk8", "-in", &p256, "-outform", "DER", "-passout", "pass:x",
            ])),
            &["key: is encrypted"],
        ),
        (hex(b"\x30\x03\x02\x01\x03"), &["key: is a PKCS #12 file"]),
        (
            hex(&make(&[
                "x509",
                "-outform",
                "DER",
                "-in",
                &save("chain", chain.as_bytes()),
            ])),
            &["key: is a certificate, not a private key"],
        ),
        (hex(b"\x30\x03\x02\x01\x01"), &["key: it is damaged"]),
        (
            hex(b"\x30\x03\x0c\x01a"),
            &["key: is neither PEM nor a private key in DER"],
        ),
    ];
    let cases = cases.map(|(key, said)| case("server", chain.as_str(), key, said));
    check(&cases);
}

/// Returns the output file of OpenSSL.
fn made(openssl: &Found, folder: &TempDir, arguments: &[&str]) -> Vec<u8> {
    let file = folder.path().join("made");
    let mut command = openssl.command();
    command.args(arguments).arg("-out").arg(&file);
    output(&mut command, Duration::from_secs(120)).unwrap_or_else(|error| panic!("{error}"));
    fs::read(&file).expect("what was made")
}

/// Certificates that a client refuses.
#[test]
fn of_handshakes() {
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let of = |usage, time| authority.issue(SERVER, usage, time);
    for (identity, said) in [
        (
            authority.authority_as_server(SERVER),
            &[
                "the peer's certificate is an authority's",
                "`basicConstraints=CA:FALSE`",
            ][..],
        ),
        (
            authority.server_of(&["other.test", "127.0.0.2"]),
            &[
                "the peer's certificate is for \"other.test\", \"127.0.0.2\", not for \"server.test\"",
            ],
        ),
        (
            of(Use::Client, Time::Now),
            &["is not made for servers", "extendedKeyUsage=serverAuth"],
        ),
        (
            of(Use::Server, Time::Over),
            &["has expired: by the clock of this side", "hours ago"],
        ),
        (
            of(Use::Server, Time::ToCome),
            &["is not valid yet: by the clock", "hours"],
        ),
        (
            self_signed(SERVER),
            &["is not signed by an authority that is trusted: add"],
        ),
    ] {
        let server = Server::with(Way::Accept, Authority::new(), &identity, "", "");
        let port = server.port.to_string();
        let outcome = Program::new("tls_messages")
            .tls()
            .args([port.as_str(), &authority.pem, SERVER])
            .run(In::Concurrent)
            .assert_success();
        let message = outcome.stdout.trim_end();
        for part in said {
            assert!(message.contains(part), "{message}\nwithout: {part}");
        }
        assert_no_debug_text(message);
    }
    // A server that asks for a certificate, and reports why it ends the handshake.
    let identity = authority.server(SERVER);
    let server = Server::with(Way::Accept, Authority::new(), &identity, &authority.pem, "");
    let port = server.port.to_string();
    let outcome = Program::new("tls_messages")
        .tls()
        .args([port.as_str(), &authority.pem, SERVER])
        .run(In::Concurrent)
        .assert_success();
    assert!(
        outcome.stdout.contains("116 (certificate_required)"),
        "{}",
        outcome.stdout
    );
}
