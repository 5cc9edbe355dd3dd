//! The sockets that systemd passes, and the notifications to it.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::served::{Client, DEADLINE, Served, app, cache};

/// Starts a service as systemd does: the listening socket is descriptor 3.
fn activated(listener: TcpListener, listen: &str, notify: &std::path::Path) -> Served {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec \"$@\"")
        .arg("sh")
        .arg(env!("CARGO_BIN_EXE_streams"))
        .args(["serve", "--cache", cache(), "--listen", listen])
        .arg(app())
        .env("NOTIFY_SOCKET", notify)
        .env("WATCHDOG_USEC", "200000")
        .env_remove("WATCHDOG_PID")
        .stdin(OwnedFd::from(listener));
    Served::spawn(command)
}

#[test]
fn a_passed_socket_is_served_and_systemd_is_notified() {
    for listen in ["systemd", "systemd:web"] {
        let folder = tempfile::tempdir().expect("a folder");
        let notify = folder.path().join("notify");
        let told = UnixDatagram::bind(&notify).expect("a socket");
        told.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        // Clients may connect before the service runs.
        let mut early = Client::new(std::net::TcpStream::connect(address).expect("connected"));
        early.send("hello\n");

        let served = activated(listener, listen, &notify);
        assert_eq!(served.address, address);
        assert_eq!(early.read_line().expect("an answer"), "hello\n");
        assert!(served.connect().is_served());
        let wait_for = |wanted: &str| {
            let mut message = [0; 1024];
            loop {
                let length = told
                    .recv(&mut message)
                    .unwrap_or_else(|_| panic!("no {wanted}"));
                let text = String::from_utf8_lossy(&message[..length]);
                if text.lines().any(|line| line == wanted) {
                    return;
                }
            }
        };
        wait_for("READY=1");
        wait_for("WATCHDOG=1");
        served.signal("HUP");
        wait_for("RELOADING=1");
        wait_for("READY=1");
        drop(early);
        served.signal("TERM");
        wait_for("STOPPING=1");
        let (status, log) = served.end();
        assert_eq!(status.code(), Some(0), "{log}");
    }
}
