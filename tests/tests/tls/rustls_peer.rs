//! rustls as the other end of protected connections, in this process: step by step, under the control of a test.

use std::net::TcpStream;
use std::sync::Arc;

use asyncio_streams_tests::certificates::{Authority, Identity};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection,
    crypto, version,
};

/// The name in the server's certificate.
pub(super) const SERVER: &str = "server.test";

/// The certificates for both ends.
pub(super) struct Peer<'a> {
    authority: &'a Authority,
    identity: &'a Identity,
}

impl<'a> Peer<'a> {
    pub(super) fn new(authority: &'a Authority, identity: &'a Identity) -> Self {
        Peer {
            authority,
            identity,
        }
    }

    /// A server or a client of one version, `1.2` or `1.3`, before the handshake.
    pub(super) fn connection(&self, server: bool, version: &str) -> Connection {
        let versions = [if version == "1.2" {
            &version::TLS12
        } else {
            &version::TLS13
        }];
        let provider = Arc::new(crypto::ring::default_provider());
        if server {
            let chain = CertificateDer::pem_slice_iter(self.identity.chain.as_bytes());
            let chain = chain.map(|one| one.expect("a certificate")).collect();
            let key = PrivateKeyDer::from_pem_slice(self.identity.key.as_bytes());
            let config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&versions)
                .expect("a version")
                .with_no_client_auth()
                .with_single_cert(chain, key.expect("a key"))
                .expect("a configuration");
            let server = ServerConnection::new(Arc::new(config)).expect("a server");
            return Connection::Server(server);
        }
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.authority.pem.as_bytes());
        roots.add(root.expect("a certificate")).expect("a root");
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .expect("a version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(SERVER).expect("a name");
        Connection::Client(ClientConnection::new(Arc::new(config), name).expect("a client"))
    }
}

/// Performs the handshake.
pub(super) fn shake_hands(tls: &mut Connection, stream: &TcpStream) {
    while tls.is_handshaking() || tls.wants_write() {
        step(tls, stream);
    }
}

/// Sends pending records, or else reads.
pub(super) fn step(tls: &mut Connection, mut stream: &TcpStream) {
    if tls.wants_write() {
        write(tls, stream);
        return;
    }
    let read = tls.read_tls(&mut stream).expect("the handshake");
    assert!(read > 0, "the end in the handshake");
    tls.process_new_packets()
        .expect("a handshake that is right");
}

/// Sends pending records.
pub(super) fn write(tls: &mut Connection, mut stream: &TcpStream) {
    while tls.wants_write() {
        tls.write_tls(&mut stream).expect("a peer that takes it");
    }
}
