//! Configurations of TLS in a linked program: the engine's settings.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use asyncio_streams_engine::tls::{ClientSettings, Common, ServerSettings};
use asyncio_streams_engine::{ClientProtector, Protector, types};

use crate::{ClientAuthentication, Error, TlsVersion};

use super::{ConnectOptions, ServerOptions};

#[derive(Default)]
pub(crate) struct ClientConfig(RefCell<ClientSettings>);

#[derive(Default)]
pub(crate) struct ServerConfig(RefCell<ServerSettings>);

/// The setters that both have.
macro_rules! common {
    ($config:ident) => {
        impl $config {
            pub(crate) fn new() -> Self {
                Self::default()
            }

            pub(crate) fn set_alpn(&self, protocols: &[&str]) -> Result<(), types::Error> {
                let protocols = protocols.iter().map(|&name| name.to_owned()).collect();
                self.common(|common| common.set_alpn(protocols))
            }

            pub(crate) fn set_versions(
                &self,
                oldest: TlsVersion,
                newest: TlsVersion,
            ) -> Result<(), types::Error> {
                self.common(|common| common.set_versions(version(oldest), version(newest)))
            }

            pub(crate) fn set_resumption(&self, on: bool) -> Result<(), types::Error> {
                self.common(|common| common.set_resumption(on))
            }

            pub(crate) fn set_handshake_timeout(
                &self,
                nanoseconds: u64,
            ) -> Result<(), types::Error> {
                self.common(|common| common.set_handshake_timeout(nanoseconds))
            }

            pub(crate) fn set_wait_for_peer(&self, on: bool) -> Result<(), types::Error> {
                self.common(|common| common.set_wait_for_peer(on))
            }

            pub(crate) fn set_shutdown_timeout(
                &self,
                nanoseconds: u64,
            ) -> Result<(), types::Error> {
                self.common(|common| common.set_shutdown_timeout(nanoseconds))
            }

            fn common(
                &self,
                set: impl FnOnce(&mut Common) -> Result<(), types::Error>,
            ) -> Result<(), types::Error> {
                set(&mut self.0.borrow_mut().common)
            }
        }

        impl fmt::Debug for $config {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($config)).finish_non_exhaustive()
            }
        }
    };
}

common!(ClientConfig);
common!(ServerConfig);

impl ClientConfig {
    pub(crate) fn set_built_in_roots(&self, on: bool) -> Result<(), types::Error> {
        self.0.borrow_mut().set_built_in_roots(on)
    }

    pub(crate) fn add_roots(&self, certificates: &[u8]) -> Result<u32, types::Error> {
        self.0.borrow_mut().add_roots(certificates)
    }

    pub(crate) fn set_certificate(&self, chain: &[u8], key: &[u8]) -> Result<(), types::Error> {
        self.0.borrow_mut().set_certificate(chain, key.to_vec())
    }

    pub(crate) fn dangerous_accept_any_certificate(&self) -> Result<(), types::Error> {
        self.0.borrow_mut().accept_any_certificate()
    }

    /// Returns what the configuration makes now.
    pub(super) fn protector(
        &self,
        name: Option<&str>,
    ) -> Result<Rc<dyn ClientProtector>, types::Error> {
        Ok(Rc::new(self.0.borrow_mut().client(name)?))
    }
}

impl ServerConfig {
    pub(crate) fn add_certificate(&self, chain: &[u8], key: &[u8]) -> Result<(), types::Error> {
        self.0.borrow_mut().add_certificate(chain, key.to_vec())
    }

    pub(crate) fn set_client_authentication(
        &self,
        rule: ClientAuthentication,
    ) -> Result<(), types::Error> {
        let rule = match rule {
            ClientAuthentication::None => types::ClientAuthentication::None,
            ClientAuthentication::Optional => types::ClientAuthentication::Optional,
            ClientAuthentication::Required => types::ClientAuthentication::Required,
        };
        self.0.borrow_mut().set_client_authentication(rule)
    }

    pub(crate) fn add_client_roots(&self, certificates: &[u8]) -> Result<u32, types::Error> {
        self.0.borrow_mut().add_client_roots(certificates)
    }

    /// Returns what the configuration makes now.
    pub(super) fn protector(&self) -> Result<Rc<dyn Protector>, types::Error> {
        Ok(Rc::new(self.0.borrow_mut().server()?))
    }
}

/// Sets TLS among the options of a connection.
pub(crate) fn set_client_tls(
    options: &mut ConnectOptions,
    config: &ClientConfig,
    server_name: Option<&str>,
) -> Result<(), Error> {
    options.set_tls(config.protector(server_name)?);
    Ok(())
}

/// Sets TLS among the options of a server.
pub(crate) fn set_server_tls(
    options: &mut ServerOptions,
    config: &ServerConfig,
) -> Result<(), Error> {
    options.set_tls(config.protector()?);
    Ok(())
}

fn version(version: TlsVersion) -> types::TlsVersion {
    match version {
        TlsVersion::Tls12 => types::TlsVersion::Tls12,
        TlsVersion::Tls13 => types::TlsVersion::Tls13,
    }
}
