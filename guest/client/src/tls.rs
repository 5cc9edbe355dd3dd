//! How connections are protected.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::Error;
use crate::backend;
use crate::bindings::tls;
use crate::time::nanoseconds;

/// How this side protects connections that it opens: whom it trusts, and how it shows who it is.
/// asyncio's `ssl.create_default_context()`.
///
/// A linked program needs this crate's feature `tls`, a composed one `streams-tls.wasm`; without it every setter returns
/// [`Error::NotSupported`]. A new one trusts the roots that Mozilla trusts and verifies the server's
/// certificate, name and dates. One serves any number of connections, which resume each other's
/// sessions; clones are the same one.
///
/// ```no_run
/// # async fn f() -> Result<(), asyncio_streams::Error> {
/// use asyncio_streams::{ClientConfig, ConnectOptions};
///
/// let options = ConnectOptions::new().tls(&ClientConfig::new());
/// let (reader, writer) = options.open_connection("example.org", 443).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// A setter that fails changes nothing. Beside its own errors, each can return
/// [`Error::NotSupported`].
#[derive(Clone, Debug)]
pub struct ClientConfig {
    inner: Rc<backend::ClientConfig>,
}

/// How this side protects connections that it accepts: as whom, and what it asks of clients.
/// asyncio's `ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)`.
///
/// A linked program needs this crate's feature `tls`, a composed one `streams-tls.wasm`; without it every setter returns
/// [`Error::NotSupported`]. It needs a certificate before it can be used. One serves any number of
/// servers; clones are the same one.
///
/// # Errors
/// A setter that fails changes nothing. Beside its own errors, each can return
/// [`Error::NotSupported`].
#[derive(Clone, Debug)]
pub struct ServerConfig {
    inner: Rc<backend::ServerConfig>,
}

macro_rules! common_settings {
    () => {
        /// The application protocols to speak, in the order of preference; none by default (RFC
        /// 7301).
        ///
        /// # Errors
        /// - [`Error::InvalidArgument`]: a name is empty or longer than 255 bytes, or there are more
        ///   than 255.
        pub fn set_alpn(&self, protocols: &[&str]) -> Result<(), Error> {
            Ok(self.inner.set_alpn(protocols)?)
        }

        /// The oldest and the newest version to speak; 1.2 and 1.3 by default.
        ///
        /// # Errors
        /// - [`Error::InvalidArgument`]: the oldest is newer than the newest.
        pub fn set_versions(
            &self,
            oldest: tls::TlsVersion,
            newest: tls::TlsVersion,
        ) -> Result<(), Error> {
            Ok(self.inner.set_versions(oldest, newest)?)
        }

        /// Sets whether a session may continue an earlier one; on by default.
        ///
        /// # Errors
        /// Those of every setter.
        pub fn set_resumption(&self, on: bool) -> Result<(), Error> {
            Ok(self.inner.set_resumption(on)?)
        }

        /// Sets how long a handshake may take; 60 s by default.
        ///
        /// # Errors
        /// - [`Error::InvalidArgument`]: the time is zero.
        pub fn set_handshake_timeout(&self, timeout: Duration) -> Result<(), Error> {
            Ok(self.inner.set_handshake_timeout(nanoseconds(timeout))?)
        }

        /// Sets whether `close` waits for the peer's end (`close_notify`) after it has sent its own; off by
        /// default.
        ///
        /// # Errors
        /// Those of every setter.
        pub fn set_wait_for_peer(&self, on: bool) -> Result<(), Error> {
            Ok(self.inner.set_wait_for_peer(on)?)
        }

        /// Sets how long `close` waits for the peer's end, if it does; 30 s by default.
        ///
        /// # Errors
        /// - [`Error::InvalidArgument`]: the time is zero.
        pub fn set_shutdown_timeout(&self, timeout: Duration) -> Result<(), Error> {
            Ok(self.inner.set_shutdown_timeout(nanoseconds(timeout))?)
        }
    };
}

impl ClientConfig {
    /// Every setting at its default.
    pub fn new() -> Self {
        ClientConfig {
            inner: Rc::new(backend::ClientConfig::new()),
        }
    }

    common_settings!();

    /// Sets whether the roots that Mozilla trusts count; on by default.
    ///
    /// # Errors
    /// Those of every setter.
    pub fn set_built_in_roots(&self, on: bool) -> Result<(), Error> {
        Ok(self.inner.set_built_in_roots(on)?)
    }

    /// Trusts the authorities whose certificates are given, PEM or DER; returns their number.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: there is no certificate in it, or one that cannot be read; more
    ///   than 4 MiB in all.
    pub fn add_roots(&self, certificates: impl AsRef<[u8]>) -> Result<u32, Error> {
        Ok(self.inner.add_roots(certificates.as_ref())?)
    }

    /// Shows a certificate to servers that ask for one: its chain and the private key, PEM or DER.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: they cannot be read, or do not belong together.
    pub fn set_certificate(
        &self,
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        Ok(self.inner.set_certificate(chain.as_ref(), key.as_ref())?)
    }

    /// Accepts any certificate for any name, from any peer: the connection is encrypted, but the
    /// identity of its peer is unknown. It cannot be taken back.
    ///
    /// # Errors
    /// Those of every setter.
    pub fn dangerous_accept_any_certificate(&self) -> Result<(), Error> {
        Ok(self.inner.dangerous_accept_any_certificate()?)
    }

    pub(crate) fn inner(&self) -> &backend::ClientConfig {
        &self.inner
    }
}

impl ServerConfig {
    /// Every setting at its default.
    pub fn new() -> Self {
        ServerConfig {
            inner: Rc::new(backend::ServerConfig::new()),
        }
    }

    common_settings!();

    /// Adds a certificate: its chain and the private key, PEM or DER. Of several, a client gets the
    /// first that is valid for the name that it asks for, else the first.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: they cannot be read, or do not belong together.
    pub fn add_certificate(
        &self,
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        Ok(self.inner.add_certificate(chain.as_ref(), key.as_ref())?)
    }

    /// Sets whether clients show certificates; `None` by default. The others need
    /// [`add_client_roots`](ServerConfig::add_client_roots).
    ///
    /// # Errors
    /// Those of every setter.
    pub fn set_client_authentication(&self, rule: tls::ClientAuthentication) -> Result<(), Error> {
        Ok(self.inner.set_client_authentication(rule)?)
    }

    /// Trusts the authorities whose certificates are given, PEM or DER, to vouch for clients; returns
    /// their number.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: there is no certificate in it, or one that cannot be read; more
    ///   than 4 MiB in all.
    pub fn add_client_roots(&self, certificates: impl AsRef<[u8]>) -> Result<u32, Error> {
        Ok(self.inner.add_client_roots(certificates.as_ref())?)
    }

    pub(crate) fn inner(&self) -> &backend::ServerConfig {
        &self.inner
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        ClientConfig::new()
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig::new()
    }
}

/// Two are equal if they are the same one.
impl PartialEq for ClientConfig {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }
}

/// Two are equal if they are the same one.
impl PartialEq for ServerConfig {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for ClientConfig {}
impl Eq for ServerConfig {}

/// A configuration among options.
///
/// The functions that pass it on or drop it are reached only through it, so programs that protect
/// nothing import nothing of TLS.
#[derive(Clone)]
pub(crate) struct ClientTls {
    set: Rc<SetClient>,
    /// Which configuration it is.
    of: *const backend::ClientConfig,
}

type SetClient = dyn Fn(&mut backend::ConnectOptions, Option<&str>) -> Result<(), Error>;

impl ClientTls {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        let config = config.clone();
        ClientTls {
            of: Rc::as_ptr(&config.inner),
            set: Rc::new(move |options, name| {
                backend::set_client_tls(options, config.inner(), name)
            }),
        }
    }

    pub(crate) fn set(
        &self,
        options: &mut backend::ConnectOptions,
        name: Option<&str>,
    ) -> Result<(), Error> {
        (self.set)(options, name)
    }
}

/// The TLS settings of a server.
#[derive(Clone)]
pub(crate) struct ServerTls {
    set: Rc<SetServer>,
    /// Which configuration it is.
    of: *const backend::ServerConfig,
}

type SetServer = dyn Fn(&mut backend::ServerOptions) -> Result<(), Error>;

impl ServerTls {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        let config = config.clone();
        ServerTls {
            of: Rc::as_ptr(&config.inner),
            set: Rc::new(move |options| backend::set_server_tls(options, config.inner())),
        }
    }

    pub(crate) fn set(&self, options: &mut backend::ServerOptions) -> Result<(), Error> {
        (self.set)(options)
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl PartialEq for ServerTls {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl Eq for ClientTls {}
impl Eq for ServerTls {}
