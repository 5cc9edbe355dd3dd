//! The `tls` interface: configurations, as programs make them.

use std::cell::RefCell;

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::transport::tls::{Client, ClientSettings, Server, ServerSettings};
use crate::{Component, tls};

impl tls::Guest for Component {
    type ClientConfig = ClientConfig;
    type ServerConfig = ServerConfig;
}

/// `client-config`.
pub(crate) struct ClientConfig(RefCell<ClientSettings>);

/// `server-config`.
pub(crate) struct ServerConfig(RefCell<ServerSettings>);

/// What a configuration says now, with a name to verify or none yet.
pub(super) fn client(
    config: &tls::ClientConfigBorrow<'_>,
    name: Option<&str>,
) -> Result<Client, Error> {
    config.get::<ClientConfig>().0.borrow_mut().role(name)
}

/// What a configuration says now.
pub(super) fn server(config: &tls::ServerConfigBorrow<'_>) -> Result<Server, Error> {
    config.get::<ServerConfig>().0.borrow_mut().role()
}

impl tls::GuestClientConfig for ClientConfig {
    fn new() -> Self {
        ClientConfig(RefCell::default())
    }

    fn set_built_in_roots(&self, on: bool) -> Result<(), Error> {
        self.0.borrow_mut().set_built_in_roots(on)
    }

    fn add_roots(&self, certificates: Vec<u8>) -> Result<u32, Error> {
        self.0.borrow_mut().add_roots(&certificates)
    }

    fn set_certificate(&self, chain: Vec<u8>, key: Vec<u8>) -> Result<(), Error> {
        self.0.borrow_mut().set_certificate(&chain, key)
    }

    fn set_alpn(&self, protocols: Vec<String>) -> Result<(), Error> {
        self.0.borrow_mut().common.set_alpn(protocols)
    }

    fn set_versions(&self, oldest: tls::TlsVersion, newest: tls::TlsVersion) -> Result<(), Error> {
        self.0.borrow_mut().common.set_versions(oldest, newest)
    }

    fn set_resumption(&self, on: bool) -> Result<(), Error> {
        self.0.borrow_mut().common.set_resumption(on)
    }

    fn set_handshake_timeout(&self, nanoseconds: u64) -> Result<(), Error> {
        self.0
            .borrow_mut()
            .common
            .set_handshake_timeout(nanoseconds)
    }

    fn set_wait_for_peer(&self, on: bool) -> Result<(), Error> {
        self.0.borrow_mut().common.set_wait_for_peer(on)
    }

    fn set_shutdown_timeout(&self, nanoseconds: u64) -> Result<(), Error> {
        self.0.borrow_mut().common.set_shutdown_timeout(nanoseconds)
    }

    fn dangerous_accept_any_certificate(&self) -> Result<(), Error> {
        self.0.borrow_mut().accept_any_certificate()
    }
}

impl tls::GuestServerConfig for ServerConfig {
    fn new() -> Self {
        ServerConfig(RefCell::default())
    }

    fn add_certificate(&self, chain: Vec<u8>, key: Vec<u8>) -> Result<(), Error> {
        self.0.borrow_mut().add_certificate(&chain, key)
    }

    fn set_client_authentication(&self, rule: tls::ClientAuthentication) -> Result<(), Error> {
        self.0.borrow_mut().set_client_authentication(rule)
    }

    fn add_client_roots(&self, certificates: Vec<u8>) -> Result<u32, Error> {
        self.0.borrow_mut().add_client_roots(&certificates)
    }

    fn set_alpn(&self, protocols: Vec<String>) -> Result<(), Error> {
        self.0.borrow_mut().common.set_alpn(protocols)
    }

    fn set_versions(&self, oldest: tls::TlsVersion, newest: tls::TlsVersion) -> Result<(), Error> {
        self.0.borrow_mut().common.set_versions(oldest, newest)
    }

    fn set_resumption(&self, on: bool) -> Result<(), Error> {
        self.0.borrow_mut().common.set_resumption(on)
    }

    fn set_handshake_timeout(&self, nanoseconds: u64) -> Result<(), Error> {
        self.0
            .borrow_mut()
            .common
            .set_handshake_timeout(nanoseconds)
    }

    fn set_wait_for_peer(&self, on: bool) -> Result<(), Error> {
        self.0.borrow_mut().common.set_wait_for_peer(on)
    }

    fn set_shutdown_timeout(&self, nanoseconds: u64) -> Result<(), Error> {
        self.0.borrow_mut().common.set_shutdown_timeout(nanoseconds)
    }
}
