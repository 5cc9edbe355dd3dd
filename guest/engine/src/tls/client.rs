//! A client's settings, and the rustls configuration made from them.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::types::Error;

use super::certificates::{self, Roots};
use super::common::Common;
use super::suites;
use super::unverified::AnyCertificate;
use super::{Client, failure, names};

/// The number of servers whose sessions are stored.
const SESSIONS: usize = 256;

/// The settings of a client (`client-config` in wit/tls.wit).
pub struct ClientSettings {
    /// The settings that clients and servers share.
    pub common: Common,
    built_in: bool,
    roots: Roots,
    identity: Option<Arc<CertifiedKey>>,
    any_certificate: bool,
    /// The configuration, until a setting changes. Connections share it, and so its stored sessions.
    made: Option<Arc<ClientConfig>>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        ClientSettings {
            common: Common::default(),
            built_in: true,
            roots: Roots::default(),
            identity: None,
            any_certificate: false,
            made: None,
        }
    }
}

impl ClientSettings {
    /// Sets whether the roots that Mozilla trusts are trusted.
    ///
    /// # Errors
    ///
    /// Those of all setters; then nothing has changed.
    pub fn set_built_in_roots(&mut self, on: bool) -> Result<(), Error> {
        self.changed().built_in = on;
        Ok(())
    }

    /// Trusts the authorities of these certificates, PEM or DER. Returns their number.
    ///
    /// # Errors
    ///
    /// `invalid-argument` if the bytes contain no certificate or a damaged one, or if the roots exceed 4 MiB in total.
    pub fn add_roots(&mut self, certificates: &[u8]) -> Result<u32, Error> {
        self.changed().roots.add(certificates, "roots")
    }

    /// Sets the certificate for servers that request one: its chain and the private key, PEM or DER.
    ///
    /// # Errors
    ///
    /// `invalid-argument` if they cannot be parsed, or do not belong together.
    pub fn set_certificate(&mut self, chain: &[u8], key: Vec<u8>) -> Result<(), Error> {
        self.changed().identity = Some(certificates::identity(chain, key)?);
        Ok(())
    }

    /// Accepts any certificate for any name.
    ///
    /// # Errors
    ///
    /// Those of all setters.
    pub fn accept_any_certificate(&mut self) -> Result<(), Error> {
        self.changed().any_certificate = true;
        Ok(())
    }

    /// Creates the client of these settings, with or without a name to verify.
    ///
    /// # Errors
    ///
    /// `invalid-argument` if there are no roots, or no certificate can contain the name.
    pub fn client(&mut self, name: Option<&str>) -> Result<Client, Error> {
        let name = name.map(names::parse).transpose()?;
        let changed = self.common.was_changed();
        let made = self.made.take().filter(|_| !changed);
        let config = match made {
            Some(made) => made,
            None => Arc::new(self.make()?),
        };
        self.made = Some(config.clone());
        Ok(Client {
            config,
            name,
            times: self.common.times,
        })
    }

    fn changed(&mut self) -> &mut Self {
        self.common.change();
        self
    }

    fn make(&self) -> Result<ClientConfig, Error> {
        let provider = suites::provider();
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.common.versions.list())
            .map_err(|error| failure::error(&error))?;
        let builder = if self.any_certificate {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        } else {
            let roots = self.roots.with_built_in(self.built_in);
            if roots.is_empty() {
                return Err(Error::InvalidArgument(
                    "roots: there are none, so no server could be trusted: add some, or let the built-in ones \
                     count"
                        .into(),
                ));
            }
            builder.with_root_certificates(roots)
        };
        let mut config = match &self.identity {
            Some(identity) => builder
                .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.clone()))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.common.alpn);
        config.resumption = if self.common.resumption {
            Resumption::in_memory_sessions(SESSIONS)
        } else {
            Resumption::disabled()
        };
        Ok(config)
    }
}
