//! Configurations of TLS in a linked program without it: they refuse every setting.

use std::rc::Rc;

use asyncio_streams_engine::{ClientProtector, Protector, types};

use crate::{ClientAuthentication, Error, TlsVersion};

use super::{ConnectOptions, ServerOptions};

#[derive(Debug)]
pub(crate) struct ClientConfig;

#[derive(Debug)]
pub(crate) struct ServerConfig;

/// Methods, each of which refuses.
macro_rules! refuse {
    ($config:ident { $($name:ident($($argument:ty),*) -> $result:ty;)* }) => {
        impl $config {
            pub(crate) fn new() -> Self {
                $config
            }

            $(pub(crate) fn $name(&self, $(_: $argument),*) -> Result<$result, types::Error> {
                refuse()
            })*
        }
    };
}

refuse! { ClientConfig {
    set_alpn(&[&str]) -> ();
    set_versions(TlsVersion, TlsVersion) -> ();
    set_resumption(bool) -> ();
    set_handshake_timeout(u64) -> ();
    set_wait_for_peer(bool) -> ();
    set_shutdown_timeout(u64) -> ();
    set_built_in_roots(bool) -> ();
    add_roots(&[u8]) -> u32;
    set_certificate(&[u8], &[u8]) -> ();
    dangerous_accept_any_certificate() -> ();
    protector(Option<&str>) -> Rc<dyn ClientProtector>;
} }

refuse! { ServerConfig {
    set_alpn(&[&str]) -> ();
    set_versions(TlsVersion, TlsVersion) -> ();
    set_resumption(bool) -> ();
    set_handshake_timeout(u64) -> ();
    set_wait_for_peer(bool) -> ();
    set_shutdown_timeout(u64) -> ();
    add_certificate(&[u8], &[u8]) -> ();
    set_client_authentication(ClientAuthentication) -> ();
    add_client_roots(&[u8]) -> u32;
    protector() -> Rc<dyn Protector>;
} }

pub(crate) fn set_client_tls(
    _: &mut ConnectOptions,
    _: &ClientConfig,
    _: Option<&str>,
) -> Result<(), Error> {
    Ok(refuse()?)
}

pub(crate) fn set_server_tls(_: &mut ServerOptions, _: &ServerConfig) -> Result<(), Error> {
    Ok(refuse()?)
}

fn refuse<T>() -> Result<T, types::Error> {
    Err(types::Error::NotSupported(
        "TLS: this program has none; build it with the feature \"tls\" of asyncio-streams".into(),
    ))
}
