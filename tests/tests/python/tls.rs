//! Python's TLS, on OpenSSL, and the component's: every pair of sides.

use std::fs;
use std::path::Path;

use asyncio_streams_tests::certificates::Authority;
use asyncio_streams_tests::native::{NativeServer, output};
use asyncio_streams_tests::python::{Side, serving_on, sides};
use asyncio_streams_tests::tls;

use crate::{DEADLINE, assert_same};

/// The name in the certificate.
const NAME: &str = "server.test";

#[test]
fn protected_connections_and_starttls_by_every_pair_of_sides() {
    let Some(sides) = sides() else { return };
    if !tls() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = Authority::new();
    let server = authority.server(NAME);
    let put = |name: &str, content: &str| {
        fs::write(folder.path().join(name), content).expect("a file");
    };
    put("authority.pem", &authority.pem);
    put("certificate.pem", &server.chain);
    put("key.pem", &server.key);
    let mut all = Vec::new();
    for serving in &sides {
        for asking in &sides {
            all.push(converse(serving, asking, folder.path()));
        }
    }
    for part in [
        "TLSv1.3 lower True",
        "(('DNS', 'server.test'),)",
        "983041",
        "b'PROTECTED\\n'",
        "name True",
        "authority True",
        "unchecked b'STOP\\n'",
        "alpn lower",
    ] {
        assert!(all[0].contains(part), "{part}: {}", all[0]);
    }
    for other in &all[1..] {
        assert_eq!(other, &all[0]);
    }
}

/// Returns the output of both.
fn converse(serving: &Side, asking: &Side, folder: &Path) -> String {
    // The component sees the folder under another path, CPython under the real one.
    let dir = format!("--dir={}::/certificates", folder.display());
    let place = |side: &Side, file: &str| match side {
        Side::Stock(_) => folder.join(file).display().to_string(),
        Side::Component(_) => format!("/certificates/{file}"),
    };
    let mut command = serving.command_with("tls-echo", &[&dir]);
    command.args(["serve", "127.0.0.1", "0"]);
    command.args(["certificate.pem", "key.pem"].map(|file| place(serving, file)));
    let server = NativeServer::start_telling(&mut command, serving_on);
    let said = server.said();
    let plain = said.lines().find_map(|line| line.strip_prefix("plain "));
    let plain = plain
        .unwrap_or_else(|| panic!("no second port: {said}"))
        .to_owned();
    let port = server.port().to_string();
    let mut command = asking.command_with("tls-echo", &[&dir]);
    command.args([
        "ask",
        "127.0.0.1",
        &port,
        &plain,
        &place(asking, "authority.pem"),
        NAME,
    ]);
    let said = output(&mut command, DEADLINE)
        .unwrap_or_else(|error| panic!("{asking:?} of {serving:?}: {error}\n{}", server.said()));
    let served = server
        .finish()
        .replace(&port, "PORT")
        .replace(&plain, "PLAIN");
    format!("{said}---\n{served}")
}

/// Names that packages import from `ssl`, and contexts that they make while they are imported.
#[test]
fn the_module_ssl_has_every_name_and_contexts_are_made_at_import() {
    let Some(sides) = sides() else { return };
    if !tls() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Authority::new().server(NAME);
    for (name, content) in [("certificate.pem", &server.chain), ("key.pem", &server.key)] {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    let Side::Stock(_) = &sides[0] else {
        unreachable!("asyncio's own first")
    };
    let mut command = sides[0].command("tls-echo");
    command.args(["serve", "127.0.0.1", "0"]);
    command.args(["certificate.pem", "key.pem"].map(|file| folder.path().join(file)));
    let server = NativeServer::start_telling(&mut command, serving_on);
    let port = server.port().to_string();
    let given = sides.map(|side| {
        output(
            side.command("tls-names").args(["127.0.0.1", &port]),
            DEADLINE,
        )
        .unwrap_or_else(|error| panic!("tls-names by {side:?}: {error}"))
    });
    assert!(given[0].starts_with("missing []\n"), "{}", given[0]);
    assert_same("tls-names", given);
}

/// The peer reads late, with small buffers, and writes late, which the program never reads. Half of the programs do
/// not wait for the connection's end.
#[test]
fn an_upload_arrives_whole_after_a_close_and_the_end_of_the_program() {
    let Some([Side::Stock(python), component]) = sides() else {
        return;
    };
    if !tls() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = Authority::new();
    let server = authority.server(NAME);
    for (name, content) in [
        ("authority.pem", &authority.pem),
        ("certificate.pem", &server.chain),
        ("key.pem", &server.key),
    ] {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    let mut command = Side::Stock(python).command("tls-upload");
    command.arg("serve");
    command.args(["certificate.pem", "key.pem"].map(|file| folder.path().join(file)));
    let server = NativeServer::start_telling(&mut command, serving_on);
    let dir = format!("--dir={}::/certificates", folder.path().display());
    for how in ["plain", "tls"] {
        for end in ["wait", "leave"] {
            let mut command = component.command_with("tls-upload", &[&dir]);
            command.args(["send", &server.port().to_string(), how, end]);
            command.arg("/certificates/authority.pem");
            let said = output(&mut command, DEADLINE)
                .unwrap_or_else(|error| panic!("{how} {end}: {error}\n{}", server.said()));
            assert_eq!(said, format!("closed {end}\n"), "{how}");
            server.wait_for(&format!("{how} {end} 400000 True"));
        }
    }
    server.stop();
}
