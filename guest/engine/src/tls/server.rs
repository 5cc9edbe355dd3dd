//! A server's settings, and the rustls configuration made from them.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::ServerName;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert,
    ServerSessionMemoryCache, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;

use crate::types::ClientAuthentication;
use crate::types::Error;

use super::certificates::{self, Roots};
use super::common::Common;
use super::suites;
use super::{Server, failure};

/// The number of sessions that are stored for clients that do not support tickets.
const SESSIONS: usize = 256;

/// The settings of a server (`server-config` in wit/tls.wit).
pub struct ServerSettings {
    /// The settings that clients and servers share.
    pub common: Common,
    identities: Vec<Arc<CertifiedKey>>,
    authentication: ClientAuthentication,
    roots: Roots,
    /// The configuration, until a setting changes. Connections share it, and so its sessions and tickets.
    made: Option<Arc<ServerConfig>>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        ServerSettings {
            common: Common::default(),
            identities: Vec::new(),
            authentication: ClientAuthentication::None,
            roots: Roots::default(),
            made: None,
        }
    }
}

impl ServerSettings {
    /// Adds a certificate: its chain and the private key, PEM or DER.
    ///
    /// # Errors
    ///
    /// `invalid-argument` if they cannot be parsed, or do not belong together.
    pub fn add_certificate(&mut self, chain: &[u8], key: Vec<u8>) -> Result<(), Error> {
        let identity = certificates::identity(chain, key)?;
        self.changed().identities.push(identity);
        Ok(())
    }

    /// Sets whether clients must present certificates.
    ///
    /// # Errors
    ///
    /// Those of all setters.
    pub fn set_client_authentication(&mut self, rule: ClientAuthentication) -> Result<(), Error> {
        self.changed().authentication = rule;
        Ok(())
    }

    /// Trusts the authorities of client certificates, PEM or DER. Returns their number.
    ///
    /// # Errors
    ///
    /// As for [`ClientSettings::add_roots`](super::ClientSettings::add_roots).
    pub fn add_client_roots(&mut self, certificates: &[u8]) -> Result<u32, Error> {
        self.changed().roots.add(certificates, "client roots")
    }

    /// Creates the server of these settings.
    ///
    /// # Errors
    ///
    /// `invalid-argument` without a certificate, and without roots if clients present certificates.
    pub fn server(&mut self) -> Result<Server, Error> {
        let changed = self.common.was_changed();
        let made = self.made.take().filter(|_| !changed);
        let config = match made {
            Some(made) => made,
            None => Arc::new(self.make()?),
        };
        self.made = Some(config.clone());
        Ok(Server {
            config,
            times: self.common.times,
        })
    }

    fn changed(&mut self) -> &mut Self {
        self.common.change();
        self
    }

    fn make(&self) -> Result<ServerConfig, Error> {
        if self.identities.is_empty() {
            return Err(Error::InvalidArgument(
                "certificate chain: there is none, and a server needs one: add it with its key"
                    .into(),
            ));
        }
        let provider = suites::provider();
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.common.versions.list())
            .map_err(|error| failure::error(&error))?;
        let builder = match self.authentication {
            ClientAuthentication::None => builder.with_no_client_auth(),
            rule => {
                let roots = Arc::new(self.roots.with_built_in(false));
                let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                if matches!(rule, ClientAuthentication::Optional) {
                    verifier = verifier.allow_unauthenticated();
                }
                let verifier = verifier.build().map_err(|_| {
                    Error::InvalidArgument(
                        "client roots: there are none, so no client's certificate could be trusted: \
                         add some, or ask for no certificates"
                            .into(),
                    )
                })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(ByName(self.identities.clone())));
        config.alpn_protocols.clone_from(&self.common.alpn);
        // Otherwise the client's order counts, and most clients put AES first.
        config.ignore_client_order = true;
        if self.common.resumption {
            config.ticketer = Ticketer::new().map_err(|error| failure::error(&error))?;
            config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        } else {
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        Ok(config)
    }
}

/// Chooses the certificate by the name that the client requests.
#[derive(Debug)]
struct ByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello
            .server_name()
            .and_then(|name| ServerName::try_from(name).ok());
        // Some clients cannot verify signatures of one kind of key.
        let usable = |identity: &&Arc<CertifiedKey>| {
            identity
                .key
                .choose_scheme(hello.signature_schemes())
                .is_some()
        };
        let named = name.and_then(|name| {
            let mut fit = self.0.iter().filter(|identity| is_for(identity, &name));
            fit.find(usable)
        });
        let chosen = named.or_else(|| self.0.iter().find(usable));
        // With `None`, rustls would send the alert access_denied. With any certificate, it finds that suites or
        // signature schemes differ, and sends handshake_failure, as other servers do.
        chosen.or(self.0.first()).cloned()
    }
}

fn is_for(identity: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let Ok(certificate) = identity.end_entity_cert() else {
        return false;
    };
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}
