//! The cryptography of rustls: ring, with the cipher suites in an order that suits WebAssembly.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::{ALL_VERSIONS, CipherSuite, SupportedProtocolVersion, version};

use crate::types::Error;
use crate::types::TlsVersion;

thread_local! {
    static PROVIDER: Arc<CryptoProvider> = Arc::new(chacha_first());
}

/// Returns the provider that the whole component shares.
pub(super) fn provider() -> Arc<CryptoProvider> {
    PROVIDER.with(Arc::clone)
}

/// Puts ChaCha20 first. It consists of additions, rotations and exclusive ors, which WebAssembly has. AES needs
/// instructions that WebAssembly lacks, and takes six times as long without them.
fn chacha_first() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        )
    });
    provider
}

static TLS12: [&SupportedProtocolVersion; 1] = [&version::TLS12];
static TLS13: [&SupportedProtocolVersion; 1] = [&version::TLS13];

/// The enabled versions.
#[derive(Clone, Copy)]
pub(super) struct Versions(&'static [&'static SupportedProtocolVersion]);

impl Default for Versions {
    fn default() -> Self {
        Versions(ALL_VERSIONS)
    }
}

impl Versions {
    pub(super) fn between(oldest: TlsVersion, newest: TlsVersion) -> Result<Self, Error> {
        match (oldest, newest) {
            (TlsVersion::Tls12, TlsVersion::Tls12) => Ok(Versions(&TLS12)),
            (TlsVersion::Tls13, TlsVersion::Tls13) => Ok(Versions(&TLS13)),
            (TlsVersion::Tls12, TlsVersion::Tls13) => Ok(Versions::default()),
            (TlsVersion::Tls13, TlsVersion::Tls12) => Err(Error::InvalidArgument(
                "versions: the oldest is newer than the newest".into(),
            )),
        }
    }

    pub(super) fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        self.0
    }
}

/// Returns the name of the suite in the IANA registry.
pub(super) fn name(suite: CipherSuite) -> String {
    // rustls writes `TLS13_` where the registry does not name the version.
    match suite.as_str() {
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("{:#06x}", u16::from(suite)),
    }
}

/// Converts the names of protocols to their form on the wire.
pub(super) fn alpn(protocols: Vec<String>) -> Result<Vec<Vec<u8>>, Error> {
    if protocols.len() > 255 {
        return Err(Error::InvalidArgument(
            "protocols: more than 255 of them".into(),
        ));
    }
    for (index, name) in protocols.iter().enumerate() {
        let (number, length) = (index.saturating_add(1), name.len());
        if !(1..=255).contains(&length) {
            return Err(Error::InvalidArgument(format!(
                "protocols: entry {number} has {length} bytes, but must have 1 to 255"
            )));
        }
    }
    Ok(protocols.into_iter().map(String::into_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chacha_is_first_in_both_versions() {
        let names: Vec<_> = provider()
            .cipher_suites
            .iter()
            .map(|suite| name(suite.suite()))
            .collect();
        assert_eq!(names.len(), 9);
        assert!(
            names.iter().take(3).all(|name| name.contains("CHACHA20")),
            "{names:?}"
        );
        assert!(
            names.contains(&"TLS_AES_128_GCM_SHA256".to_owned()),
            "{names:?}"
        );
    }

    #[test]
    fn protocol_names_have_1_to_255_bytes() {
        assert!(alpn(vec!["h2".into(), "x".repeat(255)]).is_ok());
        assert!(alpn(vec![String::new()]).is_err());
        assert!(alpn(vec!["x".repeat(256)]).is_err());
    }
}
