//! `--admin`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;

use crate::served::{DEADLINE, Served, wait_until};

/// Returns the address of a server's admin interface, which it prints last.
pub(crate) fn address(served: &Served) -> SocketAddr {
    let line = served.line();
    let address = line.strip_prefix("admin on ").expect("the admin interface");
    address.parse().expect("an address")
}

/// The counters of a server.
#[derive(Debug)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> f64 {
        *self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not there: {self:?}"))
    }

    /// The values of all workers.
    pub(crate) fn all(&self, name: &str) -> Vec<f64> {
        let of = |key: &str| key.split('{').next() == Some(name);
        self.0
            .iter()
            .filter(|(key, _)| of(key))
            .map(|(_, value)| *value)
            .collect()
    }

    pub(crate) fn workers(&self) -> usize {
        self.all("streams_worker_connections").len()
    }
}

pub(crate) fn metrics(admin: SocketAddr) -> Metrics {
    let (head, body) = get(TcpStream::connect(admin).expect("it listens"), "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let samples = body.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        (name.to_owned(), value.parse().expect("a number"))
    });
    Metrics(samples.collect())
}

/// Returns the head and the body of an answer.
pub(crate) fn get(mut stream: impl Read + Write, path: &str) -> (String, String) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

#[test]
fn probes_and_counts_are_answered() {
    let served = Served::start(["--workers", "1", "--admin", "127.0.0.1:0"]);
    let admin = address(&served);
    for path in ["/healthz", "/readyz"] {
        let (head, body) = get(TcpStream::connect(admin).expect("it listens"), path);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(body, "ok\n");
    }
    let (head, _) = get(TcpStream::connect(admin).expect("it listens"), "/else");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");

    let mut client = served.connect();
    assert!(client.is_served());
    // Bytes are counted when the send returns, which may be after their arrival.
    let sent = |metrics: &Metrics| metrics.value("streams_sent_bytes_total") == 6.0;
    wait_until(|| sent(&metrics(admin)), || format!("{:?}", metrics(admin)));
    let metrics = metrics(admin);
    for (name, value) in [
        ("streams_connections", 1.0),
        ("streams_connections_queued", 0.0),
        ("streams_connections_accepted_total", 1.0),
        ("streams_received_bytes_total", 6.0),
        ("streams_sent_bytes_total", 6.0),
        ("streams_worker_ends_total{cause=\"trap\"}", 0.0),
    ] {
        assert_eq!(metrics.value(name), value, "{name}");
    }
    assert!(metrics.value("streams_worker_memory_bytes{worker=\"0\"}") > 65_536.0);
}

/// Clients that send nothing, or nonsense, do not delay the next answer.
#[test]
fn bad_clients_of_the_admin_interface_do_no_harm() {
    let served = Served::start(["--workers", "1", "--admin", "127.0.0.1:0"]);
    let admin = address(&served);
    let silent: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(admin).expect("it listens"))
        .collect();
    for nonsense in [&b"\r\n\r\n"[..], b"\xff\xfe\r\n\r\n", &[b'x'; 20_000]] {
        let mut stream = TcpStream::connect(admin).expect("it listens");
        let _ = stream.write_all(nonsense);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "));
    }
    assert_eq!(metrics(admin).workers(), 1);
    drop(silent);
}

#[test]
fn everything_may_be_on_unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    let [app, admin] = ["app", "admin"].map(|name| folder.path().join(name));
    let listen = format!("unix:{}", app.display());
    let admin_on = format!("unix:{}", admin.display());
    let mut command = crate::support::streams(["serve", "--workers", "1"]);
    command
        .args(["--listen", &listen, "--admin", &admin_on])
        .arg(crate::served::app());
    let served = Served::spawn(command);
    let mut client = UnixStream::connect(&app).expect("it listens");
    client.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    client.write_all(b"peer\n").expect("sent");
    let mut answer = [0; 9];
    client.read_exact(&mut answer).expect("an answer");
    let (_, body) = get(UnixStream::connect(&admin).expect("it listens"), "/readyz");
    assert_eq!(body, "ok\n");
    drop(client);
    served.signal("TERM");
    let (status, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!app.exists() && !admin.exists(), "the socket files go");
}
