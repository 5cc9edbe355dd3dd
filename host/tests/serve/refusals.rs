//! Programs and options that cannot be served: no crash, a clear message and the exit status.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;

use crate::served::{Served, app, cache, command, made};
use crate::support::{built, streams};

/// Runs `streams serve` on a free port, which has to fail; returns the exit status and the message.
fn refused(options: &[&str], app: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut all: Vec<OsString> = ["serve", "--cache", cache()].map(Into::into).to_vec();
    if !options.contains(&"--listen") {
        all.extend(["--listen", "127.0.0.1:0"].map(Into::into));
    }
    all.extend(options.iter().map(Into::into));
    all.push(app.into());
    if !args.is_empty() {
        all.push("--".into());
        all.extend(args.iter().map(Into::into));
    }
    let output = streams(all).output().expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(!error.contains("panicked"), "{error}");
    (output.status.code(), error)
}

#[track_caller]
fn assert_refused(options: &[&str], app: &Path, args: &[&str], reason: &str) {
    let (code, error) = refused(options, app, args);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains(reason), "{error}");
}

#[test]
fn a_component_that_is_not_a_program() {
    let streams = built("streams");
    assert_refused(&[], &streams, &[], "does not export wasi:cli/run");
    let handler = built("examples/echo-server");
    assert_refused(
        &[],
        &handler,
        &[],
        "is not complete: it imports asyncio:streams/",
    );
    assert_refused(
        &[],
        Path::new("no/such.wasm"),
        &[],
        "cannot read no/such.wasm",
    );
}

#[test]
fn a_program_of_wasi_0_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"(component
        (core module $m (func (export "run") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $r)))"#;
    let app = made(&folder, "old.wasm", text);
    assert_refused(
        &[],
        &app,
        &[],
        "is a program of WASI 0.2; only those of WASI 0.3 can be served",
    );
}

#[test]
fn a_program_that_traps_returns_or_computes_at_its_start() {
    let folder = tempfile::tempdir().expect("a folder");
    for isolate in ["worker", "connection"] {
        let options = ["--isolate", isolate, "--stuck-timeout", "300ms"];
        for (body, reason) in [
            ("unreachable", "does not serve: "),
            (
                "i32.const 0",
                "does not serve: it returned, with exit status 0",
            ),
            (
                "i32.const 1",
                "does not serve: it returned, with exit status 1",
            ),
            (
                "(loop br 0) i32.const 0",
                "it computed for more than 300ms without waiting",
            ),
        ] {
            let app = command(&folder, body);
            assert_refused(&options, &app, &[], reason);
        }
    }
}

#[test]
fn a_program_that_listens_elsewhere() {
    let options = ["--workers", "1"];
    let (code, error) = refused(&options, app(), &["127.0.0.1:1"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(
        error.contains("listen on 127.0.0.1:1 denied; grant it with --listen 127.0.0.1:1"),
        "{error}"
    );
    assert!(
        error.contains("does not serve: it returned, with exit status 1"),
        "{error}"
    );
}

/// A client waits for an answer that never comes.
#[test]
fn a_program_that_never_listens() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("an address").to_string();
    let client = built("examples/echo-client.composed");
    for isolate in ["worker", "connection"] {
        let options = [
            "--isolate",
            isolate,
            "--start-timeout",
            "500ms",
            "--allow-connect",
            &address,
        ];
        let reason = "it did not listen on 127.0.0.1:";
        assert_refused(&options, &client, &[&address], reason);
    }
}

#[test]
fn a_program_that_does_not_accept_is_reported() {
    let served = Served::start_app(app(), ["--workers", "1"], &["--max-connections", "1"]);
    let mut first = served.connect();
    assert!(first.is_served());
    let waiting = served.connect();
    served.wait_for_log("the program has accepted no connection for 10s");
    drop(waiting);
}

#[test]
fn addresses_that_are_in_use_or_impossible() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken
        .local_addr()
        .map(|address| (taken, address.to_string()));
    let (_listener, taken) = taken.expect("an address");
    let said = format!("cannot listen on {taken}: ");
    assert_refused(&["--listen", &taken], app(), &[], &said);
    assert_refused(
        &["--admin", &taken],
        app(),
        &[],
        &format!("--admin: {said}"),
    );

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let long = folder.path().join("x".repeat(120));
    for (path, reason) in [
        (file.as_path(), "it is a file that is no socket"),
        (folder.path(), "it is a folder"),
        (
            long.as_path(),
            "the system allows some 100 bytes for the path",
        ),
        (
            Path::new("/no/such/folder/socket"),
            "cannot listen on unix:/no/such/folder/socket",
        ),
    ] {
        let listen = format!("unix:{}", path.display());
        assert_refused(&["--listen", &listen], app(), &[], reason);
        assert_refused(&["--admin", &listen], app(), &[], reason);
    }
    assert!(file.exists());
    assert_refused(
        &["--listen", "systemd"],
        app(),
        &[],
        "systemd passed no socket",
    );
}

#[test]
fn invalid_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_string_lossy().into_owned()
    };
    let pair =
        || rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (one, other) = (pair(), pair());
    let certificate = file("cert", &one.cert.pem());
    let key = file("key", &one.signing_key.serialize_pem());
    let other_key = file("other", &other.signing_key.serialize_pem());
    let nothing = file("nothing", "hello");
    let torn = file(
        "torn",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    for (certificate, key, reason) in [
        (&nothing, &key, "there is no `BEGIN CERTIFICATE` in it"),
        (
            &certificate,
            &nothing,
            "there is no `BEGIN PRIVATE KEY` in it",
        ),
        (&torn, &key, "cannot be used together"),
        (&certificate, &other_key, "cannot be used together"),
        (&"no/such".to_owned(), &key, "cannot read no/such"),
    ] {
        assert_refused(
            &["--tls-cert", certificate, "--tls-key", key],
            app(),
            &[],
            reason,
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for (options, reason) in [
        (
            &["--listen", "localhost:80"][..],
            "expected an IP address, not a name",
        ),
        (&["--listen", "systemd:"], "is not ADDR:PORT or unix:PATH"),
        (&["--workers", "0"], "--workers"),
        (&["--grace", "soon"], "expected a time such as 10s"),
        (
            &["--stuck-timeout", "0"],
            "expected `off`, or a time above 0",
        ),
        (&["--restart-backoff", "10s..1s"], "the shorter one first"),
        (&["--max-memory", "much"], "expected a size such as 256M"),
        (&["--max-requests", "0"], "--max-requests"),
        (&["--tls-cert", "x"], "--tls-key"),
        (&["--dir", "a::"], "it is not HOST::GUEST"),
        (&["--admin", "systemd"], "is not ADDR:PORT or unix:PATH"),
    ] {
        let (code, error) = refused(options, Path::new("app.wasm"), &[]);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(reason), "{options:?}: {error}");
    }
}

#[test]
fn a_file_compiled_with_other_settings_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = std::fs::read(app()).expect("read");
    bytes.truncate(bytes.len() / 2);
    let file = folder.path().join("half.cwasm");
    std::fs::write(&file, bytes).expect("written");
    let (code, error) = refused(&[], &file, &[]);
    assert_eq!(code, Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_refused(
        &["--with", "x.wasm"],
        app(),
        &[],
        "nothing can be composed with it",
    );
}
