//! The network of this process: TCP, and TLS over it where the environment has a certificate.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use anyhow::{Context as _, Result};
use asyncio_streams_bench_plan::TLS;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use tokio_util::either::Either;

/// A connection.
pub(crate) type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Connects; written bytes are sent at once, as in Python.
pub(crate) async fn connect(address: SocketAddr) -> Result<Stream> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let Some(tls) = protection()? else {
        return Ok(Either::Left(stream));
    };
    let name = ServerName::from(address.ip());
    let connector = TlsConnector::from(tls.client.clone());
    let protected = connector.connect(name, stream).await?;
    Ok(Either::Right(protected.into()))
}

/// Ends the connection with TLS's `close_notify`, after the written bytes.
pub(crate) async fn close(mut stream: Stream) -> std::io::Result<()> {
    match &mut stream {
        Either::Left(_) => Ok(()),
        Either::Right(protected) => protected.shutdown().await,
    }
}

/// A listening socket.
pub(crate) struct Listener(TcpListener);

impl Listener {
    /// Listens, and prints the address.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        println!("listening on {}", listener.local_addr()?);
        Ok(Self(listener))
    }

    /// Accepts the next connection, which [`Arrival::begin`] completes.
    pub(crate) async fn accept(&self) -> Result<Arrival> {
        let (stream, _) = self.0.accept().await?;
        stream.set_nodelay(true)?;
        let acceptor = protection()?.map(|tls| tls.server.clone().into());
        Ok(Arrival { stream, acceptor })
    }
}

/// A connection before its handshake.
pub(crate) struct Arrival {
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
}

impl Arrival {
    /// Performs the handshake, if there is one.
    pub(crate) async fn begin(self) -> std::io::Result<Stream> {
        Ok(match self.acceptor {
            None => Either::Left(self.stream),
            Some(acceptor) => Either::Right(acceptor.accept(self.stream).await?.into()),
        })
    }
}

/// How connections are protected.
struct Protection {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

fn protection() -> Result<Option<&'static Protection>> {
    static PROTECTION: LazyLock<Result<Option<Protection>>> = LazyLock::new(|| {
        let pem = std::env::var(TLS).ok();
        pem.map(|pem| Protection::new(pem.as_bytes())).transpose()
    });
    match &*PROTECTION {
        Ok(protection) => Ok(protection.as_ref()),
        Err(error) => anyhow::bail!("{TLS}: {error:#}"),
    }
}

impl Protection {
    fn new(pem: &[u8]) -> Result<Self> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(pem)?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain.clone());
        let mut client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        let mut server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
        })
    }
}

/// Prints a certificate for loopback with its key, for the benchmark only.
pub(crate) fn print_certificate() -> Result<()> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    print!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    Ok(())
}
