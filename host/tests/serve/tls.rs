//! TLS that the host terminates.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::served::{DEADLINE, Served, wait_until};

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Writes a new certificate and its key.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("a certificate");
        std::fs::write(self.path("cert"), made.cert.pem()).expect("written");
        std::fs::write(self.path("key"), made.signing_key.serialize_pem()).expect("written");
        made.cert.der().clone()
    }
}

fn start(options: &[&str]) -> (Served, Files, CertificateDer<'static>) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files { folder };
    let certificate = files.renew();
    let (cert, key) = (files.path("cert"), files.path("key"));
    let tls = ["--tls-cert", &cert, "--tls-key", &key];
    let served = Served::start(tls.iter().chain(options));
    (served, files, certificate)
}

fn connect(
    served: &Served,
    root: &CertificateDer<'static>,
    before: &[u8],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = TcpStream::connect(served.address).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    stream.write_all(before).expect("sent");
    StreamOwned::new(connection, stream)
}

fn echo(stream: &mut (impl Read + Write), line: &[u8]) -> std::io::Result<bool> {
    stream.write_all(line)?;
    stream.flush()?;
    let mut answer = vec![0; line.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer == line)
}

#[test]
fn bytes_arrive_and_the_end_is_close_notify() {
    for isolate in ["worker", "connection"] {
        let (served, _files, root) = start(&["--isolate", isolate]);
        let mut stream = connect(&served, &root, b"");
        assert!(echo(&mut stream, b"hello\n").expect("an answer"));
        // More than the system's buffers hold, in both directions: all of it must arrive.
        let line = [vec![b'x'; 60_000], b"\n".to_vec()].concat();
        for _ in 0..20 {
            stream.write_all(&line).expect("sent");
        }
        stream.conn.send_close_notify();
        stream.flush().expect("sent");
        let mut rest = Vec::new();
        // An end without `close_notify` would be an error here.
        stream
            .read_to_end(&mut rest)
            .expect("everything, and the end");
        assert!(rest == line.repeat(20), "{} bytes", rest.len());
    }
}

#[test]
fn many_clients_are_served_at_once() {
    let (served, _files, root) = start(&["--workers", "2", "--admin", "127.0.0.1:0"]);
    let mut clients: Vec<_> = (0..20).map(|_| connect(&served, &root, b"")).collect();
    for client in &mut clients {
        assert!(echo(client, b"hello\n").expect("an answer"));
    }
    // Clients that send no TLS, or nothing at all, are refused without harm to the others.
    let mut plain = TcpStream::connect(served.address).expect("it listens");
    plain
        .write_all(b"hello\n".repeat(3).as_slice())
        .expect("sent");
    let silent = TcpStream::connect(served.address).expect("it listens");
    drop(silent);
    let admin = crate::admin::address(&served);
    wait_until(
        || crate::admin::metrics(admin).value("streams_connections_rejected_total") == 2.0,
        || format!("{:?}", crate::admin::metrics(admin)),
    );
    for client in &mut clients {
        assert!(echo(client, b"hello\n").expect("an answer"));
    }
}

#[test]
fn a_proxy_header_precedes_tls() {
    let (served, _files, root) = start(&["--proxy-protocol"]);
    let header = b"PROXY TCP4 192.0.2.7 198.51.100.9 1234 80\r\n";
    let mut stream = connect(&served, &root, header);
    stream.write_all(b"peer\n").expect("sent");
    let mut names = [0; 20];
    stream.read_exact(&mut names).expect("an answer");
    assert!(echo(&mut connect(&served, &root, header), b"hello\n").expect("an answer"));
}

#[test]
fn a_reload_shows_the_new_certificate() {
    let (served, files, old) = start(&[]);
    let mut before = connect(&served, &old, b"");
    assert!(echo(&mut before, b"hello\n").expect("an answer"));
    let new = files.renew();
    served.signal("HUP");
    served.wait_for_log(": reloaded");
    assert!(echo(&mut connect(&served, &new, b""), b"hello\n").expect("an answer"));
    assert!(connect(&served, &old, b"").write_all(b"hello\n").is_err());
    assert!(echo(&mut before, b"hello\n").expect("an answer"));

    std::fs::write(files.path("cert"), "no certificate").expect("written");
    served.signal("HUP");
    served.wait_for_log("there is no `BEGIN CERTIFICATE` in it");
    assert!(echo(&mut connect(&served, &new, b""), b"hello\n").expect("an answer"));
}
