//! The end of a server, and its reload.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use crate::served::{Client, Served, app, command, wait_until};

fn stops_listening(served: &Served) {
    wait_until(
        || std::net::TcpStream::connect(served.address).is_err(),
        || "it still listens".to_owned(),
    );
}

#[test]
fn clients_may_finish_after_a_signal() {
    for (signal, isolate) in [("TERM", "worker"), ("INT", "connection")] {
        let served = Served::start(["--isolate", isolate]);
        let mut clients: Vec<Client> = (0..6).map(|_| served.connect()).collect();
        assert!(clients.iter_mut().all(Client::is_served));
        served.signal(signal);
        stops_listening(&served);
        assert!(
            clients.iter_mut().all(Client::is_served),
            "{}",
            served.log()
        );
        drop(clients);
        let (status, log) = served.end();
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

#[test]
fn clients_that_do_not_finish_are_cut_after_the_grace() {
    for isolate in ["worker", "connection"] {
        let served = Served::start(["--grace", "300ms", "--isolate", isolate]);
        let mut client = served.connect();
        assert!(client.is_served());
        served.signal("TERM");
        client.wait_for_end();
        let (status, log) = served.end();
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains("1 clients did not finish in time"), "{log}");
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let served = Served::start(["--grace", "1h"]);
    let mut client = served.connect();
    assert!(client.is_served());
    served.signal("TERM");
    stops_listening(&served);
    served.signal("TERM");
    let (status, log) = served.end();
    assert_eq!(status.code(), Some(143), "{log}");
}

/// A copy of the app that a test may change.
fn own_app(folder: &tempfile::TempDir) -> PathBuf {
    let file = folder.path().join("app.cwasm");
    std::fs::copy(app(), &file).expect("copied");
    file
}

/// With three clients at a time, one in 20 reloads meets one in the moment of its acceptance.
const RELOADS: usize = 40;

#[test]
fn a_reload_neither_refuses_nor_cuts_clients() {
    for isolate in ["worker", "connection"] {
        let served = Served::start(["--workers", "2", "--isolate", isolate]);
        let mut old: Vec<Client> = (0..6).map(|_| served.connect()).collect();
        assert!(old.iter_mut().all(Client::is_served));
        let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let (address, stopped, counted) = (served.address, &stop, &done);
            for _ in 0..3 {
                scope.spawn(move || {
                    while !stopped.load(SeqCst) {
                        let stream = TcpStream::connect(address).expect("it listens");
                        assert!(Client::new(stream).is_served());
                        counted.fetch_add(1, SeqCst);
                    }
                });
            }
            // A client that is cut was accepted in the moment in which its worker was asked to finish.
            for reload in 1..=RELOADS {
                served.signal("HUP");
                wait_until(
                    || served.log().matches(": reloaded").count() == reload,
                    || format!("it is not reloaded: {}", served.log()),
                );
            }
            let before = done.load(SeqCst);
            wait_until(
                || done.load(SeqCst) > before + 10,
                || "no clients".to_owned(),
            );
            stop.store(true, SeqCst);
        });
        assert!(old.iter_mut().all(Client::is_served), "{}", served.log());
        drop(old);
        served.signal("TERM");
        let (status, log) = served.end();
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

#[test]
fn a_reload_has_a_grace_of_its_own() {
    let served = Served::start(["--workers", "1", "--reload-grace", "300ms"]);
    let mut old = served.connect();
    assert!(old.is_served());
    served.signal("HUP");
    old.wait_for_end();
    served.wait_for_log("outlasted the grace");
    assert!(served.connect().is_served());
}

#[test]
fn the_old_program_continues_if_the_new_one_is_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = own_app(&folder);
    let served = Served::start_app(&file, ["--workers", "2"], &[]);
    let mut client = served.connect();
    assert!(client.is_served());
    let traps = command(&folder, "unreachable");
    let compiled = folder.path().join("traps.cwasm");
    let compile = crate::support::streams(["compile", "--cache", "off", "-o"])
        .arg(&compiled)
        .arg(&traps)
        .status();
    assert!(compile.expect("the program runs").success());

    let broken: [(&[u8], &str); 3] = [
        (
            b"not WebAssembly",
            "is not a component: it is not WebAssembly",
        ),
        (&std::fs::read(&traps).expect("read"), "trapped: wasm trap"),
        (
            &std::fs::read(&compiled).expect("read"),
            "trapped: wasm trap",
        ),
    ];
    for (count, (bytes, reason)) in broken.into_iter().enumerate() {
        // Rename over the old file, do not overwrite it: a loaded program may be a memory map of its file.
        let new = folder.path().join("new");
        std::fs::write(&new, bytes).expect("written");
        std::fs::rename(&new, &file).expect("renamed");
        served.signal("HUP");
        let failed = "the reload failed, the old program goes on: ";
        wait_until(
            || served.log().matches(failed).count() == count + 1,
            || format!("no failure is told: {}", served.log()),
        );
        assert!(served.log().contains(reason), "{}", served.log());
        assert!(client.is_served() && served.connect().is_served());
    }
    std::fs::remove_file(&file).expect("removed");
    served.signal("HUP");
    served.wait_for_log("cannot read");
    assert!(client.is_served() && served.connect().is_served());
}
