//! The certificate that the host presents.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// TLS 1.2 and 1.3, terminated in the host: the program reads and writes plain bytes.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ServerConfig>);

/// The reasons why a certificate or a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// The text contains no certificate, or an invalid one.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// The text contains no private key, or an invalid one.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// They do not belong together, or are of a kind that TLS does not support.
    #[error("the certificate and the private key cannot be used together: {0}")]
    Pair(String),
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its private key, both in PEM. `alpn` are the
    /// application protocols to offer, the best first.
    ///
    /// # Errors
    /// A [`TlsConfigError`].
    pub fn from_pem<A: AsRef<str>>(
        certificates: &[u8],
        key: &[u8],
        alpn: impl IntoIterator<Item = A>,
    ) -> Result<Self, TlsConfigError> {
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(certificates)
                .collect::<Result<_, _>>()
                .map_err(|error| TlsConfigError::Certificate(text(&error)))?;
        if certificates.is_empty() {
            let reason = "there is no `BEGIN CERTIFICATE` in it".to_owned();
            return Err(TlsConfigError::Certificate(reason));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            TlsConfigError::Key(match error {
                rustls::pki_types::pem::Error::NoItemsFound => {
                    "there is no `BEGIN PRIVATE KEY` in it".to_owned()
                }
                error => text(&error),
            })
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsConfigError::Pair(text(&error)))?
            .with_no_client_auth()
            .with_single_cert(certificates, key);
        let mut config = config.map_err(|error| TlsConfigError::Pair(text(&error)))?;
        config.alpn_protocols = alpn
            .into_iter()
            .map(|protocol| protocol.as_ref().as_bytes().to_vec())
            .collect();
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

fn text(error: &impl std::fmt::Display) -> String {
    crate::text::one_line(&error.to_string())
}
