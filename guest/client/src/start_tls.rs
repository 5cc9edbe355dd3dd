//! Protecting a connection that is in use.

use crate::bindings::tls::TlsInfo;
use crate::{ClientConfig, Error, Reader, ServerConfig, Writer};

impl Writer {
    /// Protects the connection from here on, as its client; `reader` is its reader. asyncio's
    /// `start_tls`.
    ///
    /// Queued bytes go out before the handshake, unprotected. Reader and writer stay the same
    /// objects. `server_name` is the name or the address that the server's certificate must be for.
    ///
    /// # Errors
    /// These leave the connection as it was:
    /// - [`Error::NotSupported`]: there is no TLS in this program, or the connection is protected
    ///   already.
    /// - [`Error::InvalidArgument`]: `reader` is another connection's; `server_name` is neither a name
    ///   nor an address; `config` trusts no root certificate.
    /// - [`Error::Busy`]: a read, a wait or a `write_stream` is pending.
    /// - [`Error::Closed`], [`Error::WriteAfterEof`]: this side has ended its output.
    /// - [`Error::Tls`] with `PlaintextPending`: unread bytes came before TLS. A program that did not
    ///   expect them should close the connection.
    ///
    /// These end it: [`Error::Tls`] for a handshake that failed, [`Error::Network`],
    /// [`Error::DeadlineExceeded`] for one that took too long.
    ///
    /// Dropping the call aborts the connection.
    pub async fn start_tls(
        &self,
        reader: &Reader,
        config: &ClientConfig,
        server_name: &str,
    ) -> Result<(), Error> {
        let upgraded = self
            .inner
            .start_tls(&reader.inner, config.inner(), server_name);
        upgraded.await
    }

    /// Protects the connection from here on, as its server; `reader` is its reader.
    ///
    /// As [`start_tls`](Writer::start_tls), but what is buffered is the beginning of the handshake.
    ///
    /// # Errors
    /// Those of `start_tls`, except `PlaintextPending`.
    ///
    /// Dropping the call aborts the connection.
    pub async fn start_tls_server(
        &self,
        reader: &Reader,
        config: &ServerConfig,
    ) -> Result<(), Error> {
        let upgraded = self.inner.start_tls_server(&reader.inner, config.inner());
        upgraded.await
    }

    /// The results of the handshake, also after the connection ended; none while the connection is not
    /// protected.
    pub fn tls_info(&self) -> Option<TlsInfo> {
        self.inner.tls_info()
    }
}
