//! The program `tls_server`, running, and a client for it in this process.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use asyncio_streams_tests::certificates::{Authority, Identity};
use asyncio_streams_tests::{In, Program, Running};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

use super::SERVER;

/// How the server protects its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `server-options.set-tls`.
    Accept,
    /// `start-tls-server`, which reports failures.
    Upgrade,
}

pub(super) struct Server {
    pub(super) program: Running,
    pub(super) port: u16,
    pub(super) authority: Authority,
}

impl Server {
    /// A server with a good certificate.
    pub(super) fn start(way: Way) -> Self {
        let authority = Authority::new();
        let identity = authority.server(SERVER);
        Self::with(way, authority, &identity, "", "")
    }

    /// A server whose close waits for its clients' end.
    pub(super) fn waiting() -> Self {
        let authority = Authority::new();
        let identity = authority.server(SERVER);
        Self::started(Way::Accept, authority, &identity, "", "", "wait")
    }

    /// A server with that certificate; `roots` are for clients' certificates, `seconds` for the handshake.
    pub(super) fn with(
        way: Way,
        authority: Authority,
        identity: &Identity,
        roots: &str,
        seconds: &str,
    ) -> Self {
        Self::started(way, authority, identity, roots, seconds, "")
    }

    fn started(
        way: Way,
        authority: Authority,
        identity: &Identity,
        roots: &str,
        seconds: &str,
        close: &str,
    ) -> Self {
        let way = match way {
            Way::Accept => "accept",
            Way::Upgrade => "upgrade",
        };
        let mut program = Program::new("tls_server")
            .tls()
            .args([way, &identity.chain, &identity.key, roots, seconds, close])
            .deadline(Duration::from_secs(300))
            .start(In::Concurrent);
        let port = program.line().parse().expect("a port");
        Self {
            program,
            port,
            authority,
        }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let deadline = Some(Duration::from_secs(30));
        stream.set_read_timeout(deadline).expect("a deadline");
        stream.set_write_timeout(deadline).expect("a deadline");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// A client of it with rustls, before the handshake.
    pub(super) fn client(&self) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.authority.pem.as_bytes());
        roots.add(root.expect("a certificate")).expect("a root");
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(SERVER).expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("a client")
    }

    /// Checks that other clients are still served. In either way the program then prints two lines.
    pub(super) fn serves(&mut self) {
        let mut stream = StreamOwned::new(self.client(), self.connect());
        stream.write_all(b"a line\n").expect("a line, sent");
        let mut line = String::new();
        let mut stream = BufReader::new(stream);
        stream.read_line(&mut line).expect("a line, read");
        assert_eq!(line, "a line\n");
        let stream = stream.get_mut();
        stream.conn.send_close_notify();
        finish(stream).expect("the end, sent");
        let agreed = self.program.line();
        assert!(
            agreed.contains("TLS_CHACHA20_POLY1305_SHA256"),
            "not the suite that is fast here: {agreed}"
        );
        assert_eq!(self.program.line(), "end");
    }
}

fn finish(stream: &mut StreamOwned<ClientConnection, TcpStream>) -> io::Result<()> {
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut stream.sock)?;
    }
    stream.sock.flush()
}
