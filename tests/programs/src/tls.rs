//! Protected pairs: the certificates come from the host test, as arguments.

use std::pin::pin;

use asyncio_streams::{
    ClientConfig, ConnectOptions, Error, ServerConfig, ServerOptions, TlsFailure, cli,
};

use futures::future::{Either, select};

use crate::{Failure, Pair, Result, memory, port, tcp, tcp_with};

/// The certificates from the host test: an authority's, and a server's that it signed.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate.
    pub authority: String,
    /// A chain for `server.test`.
    pub chain: String,
    /// Its key.
    pub key: String,
}

impl Certificates {
    /// Reads the certificates from the argument `index` on.
    pub fn from_arguments(index: usize) -> Result<Self> {
        let mut arguments = cli::arguments().into_iter().skip(index);
        match (arguments.next(), arguments.next(), arguments.next()) {
            (Some(authority), Some(chain), Some(key)) => Ok(Certificates {
                authority,
                chain,
                key,
            }),
            _ => Err(Failure::new(
                "the arguments are to be an authority, a chain and a key",
            )),
        }
    }

    /// A client that trusts the authority only.
    pub fn client(&self) -> Result<ClientConfig> {
        let config = ClientConfig::new();
        config.set_built_in_roots(false)?;
        config.add_roots(&self.authority)?;
        Ok(config)
    }

    /// A server with the certificate.
    pub fn server(&self) -> Result<ServerConfig> {
        let config = ServerConfig::new();
        config.add_certificate(&self.chain, &self.key)?;
        Ok(config)
    }
}

/// The name in the server's certificate.
pub const SERVER: &str = "server.test";

/// A protected TCP connection over loopback.
pub async fn tls_with(client: &ClientConfig, server: &ServerConfig) -> Result<Pair> {
    let left = ConnectOptions::new().tls(client).server_name(SERVER);
    tcp_with(&left, &ServerOptions::new().tls(server)).await
}

/// A TCP connection over loopback that was protected while it was in use.
pub async fn upgraded(client: &ClientConfig, server: &ServerConfig) -> Result<Pair> {
    upgrade(tcp().await?, client, server).await
}

/// A connection in memory that was protected while it was in use.
pub async fn upgraded_memory(client: &ClientConfig, server: &ServerConfig) -> Result<Pair> {
    upgrade(memory().await?, client, server).await
}

async fn upgrade(pair: Pair, client: &ClientConfig, server: &ServerConfig) -> Result<Pair> {
    let (left, right) = futures::join!(
        pair.left
            .writer
            .start_tls(&pair.left.reader, client, SERVER),
        pair.right
            .writer
            .start_tls_server(&pair.right.reader, server)
    );
    left?;
    right?;
    Ok(pair)
}

/// The kind of a failure of TLS, if it is one.
pub fn tls_failure(error: &Error) -> Option<TlsFailure> {
    match error {
        Error::Tls(error) => Some(error.failure),
        _ => None,
    }
}

/// Returns why the handshake of a client and a server fails: the client's own error, or that of its first read.
pub async fn refused(left: &ConnectOptions, right: &ServerOptions) -> Result<Error> {
    let server = right.start_server(["127.0.0.1"], 0).await?;
    let number = port(&server)?;
    let connecting = async {
        let (reader, _writer) = left.open_connection("127.0.0.1", number).await?;
        // A client of TLS 1.3 is done before the server has verified its certificate.
        reader.read(1).await?;
        Ok::<(), Error>(())
    };
    let accepting = async {
        match server.accept().await {
            Ok(_) => Failure::new("it was accepted"),
            Err(error) => error.into(),
        }
    };
    let (connecting, accepting) = (pin!(connecting), pin!(accepting));
    match select(connecting, accepting).await {
        Either::Left((Err(error), _)) => Ok(error),
        Either::Left((Ok(()), _)) => Err(Failure::new("it was served")),
        Either::Right((failure, _)) => Err(failure),
    }
}
