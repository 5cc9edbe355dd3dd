//! The `tls` interface without TLS: configurations that refuse every setting.

use std::rc::Rc;

use asyncio_streams_engine::{ClientProtector, Protector};

use crate::types::Error;
use crate::{Component, tls};

impl tls::Guest for Component {
    type ClientConfig = Config;
    type ServerConfig = Config;
}

/// A configuration.
pub(crate) struct Config;

pub(super) fn client(
    _: &tls::ClientConfigBorrow<'_>,
    _: Option<&str>,
) -> Result<Rc<dyn ClientProtector>, Error> {
    refuse()
}

pub(super) fn server(_: &tls::ServerConfigBorrow<'_>) -> Result<Rc<dyn Protector>, Error> {
    refuse()
}

// Inlined: where it is seen which error it is, the code that lowers all others is left out.
#[inline(always)]
fn refuse<T>() -> Result<T, Error> {
    Err(Error::NotSupported(reason()))
}

#[inline(never)]
fn reason() -> String {
    "TLS: this component has none, streams-p2-tls.wasm has".into()
}

/// Setters, each of which refuses.
macro_rules! refuse {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $(_: $argument),*) -> Result<$result, Error> {
            refuse()
        })*
    };
}

impl tls::GuestClientConfig for Config {
    fn new() -> Self {
        Config
    }

    refuse! {
        set_built_in_roots(bool) -> ();
        add_roots(Vec<u8>) -> u32;
        set_certificate(Vec<u8>, Vec<u8>) -> ();
        set_alpn(Vec<String>) -> ();
        set_versions(tls::TlsVersion, tls::TlsVersion) -> ();
        set_resumption(bool) -> ();
        set_handshake_timeout(u64) -> ();
        set_wait_for_peer(bool) -> ();
        set_shutdown_timeout(u64) -> ();
        dangerous_accept_any_certificate() -> ();
    }
}

impl tls::GuestServerConfig for Config {
    fn new() -> Self {
        Config
    }

    refuse! {
        add_certificate(Vec<u8>, Vec<u8>) -> ();
        set_client_authentication(tls::ClientAuthentication) -> ();
        add_client_roots(Vec<u8>) -> u32;
        set_alpn(Vec<String>) -> ();
        set_versions(tls::TlsVersion, tls::TlsVersion) -> ();
        set_resumption(bool) -> ();
        set_handshake_timeout(u64) -> ();
        set_wait_for_peer(bool) -> ();
        set_shutdown_timeout(u64) -> ();
    }
}
