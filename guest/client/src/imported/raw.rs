//! The resources of the interface, and this crate's types.

use crate::bindings::{streams, tls};
use crate::{
    ClientConfig, ConnectOptions, Error, Reader, Server, ServerConfig, ServerOptions, Writer,
};

impl Reader {
    /// Returns the reader as the interface has it. Only with the feature `imported`: a linked program has no interface.
    ///
    /// The caller may read past this reader, so from here on each read is a call of the component.
    pub fn raw(&self) -> &streams::Reader {
        self.inner.share()
    }
}

impl From<super::Reader> for Reader {
    fn from(inner: super::Reader) -> Self {
        Reader { inner }
    }
}

impl From<streams::Reader> for Reader {
    fn from(raw: streams::Reader) -> Self {
        super::Reader::new(raw).into()
    }
}

impl From<Reader> for streams::Reader {
    fn from(reader: Reader) -> Self {
        reader.inner.into_raw()
    }
}

impl Writer {
    /// Returns the writer as the interface has it. Only with the feature `imported`: a linked program has no interface.
    pub fn raw(&self) -> &streams::Writer {
        self.inner.share()
    }
}

impl From<super::Writer> for Writer {
    fn from(inner: super::Writer) -> Self {
        crate::program::connected();
        Writer { inner }
    }
}

impl From<streams::Writer> for Writer {
    fn from(raw: streams::Writer) -> Self {
        super::Writer::new(raw).into()
    }
}

impl From<Writer> for streams::Writer {
    fn from(writer: Writer) -> Self {
        writer.inner.into_raw()
    }
}

impl Server {
    /// Returns the server as the interface has it. Only with the feature `imported`: a linked program has no interface.
    pub fn raw(&self) -> &streams::Server {
        self.inner.raw()
    }
}

impl From<streams::Server> for Server {
    fn from(raw: streams::Server) -> Self {
        super::Server::new(raw).into()
    }
}

impl From<Server> for streams::Server {
    fn from(server: Server) -> Self {
        server.inner.into_raw()
    }
}

impl ConnectOptions {
    /// Returns the options as the interface has them.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: a value that cannot be.
    pub fn to_raw(&self) -> Result<streams::ConnectOptions, Error> {
        self.to_backend()
    }
}

impl ServerOptions {
    /// Returns the options as the interface has them.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: an option is 0 that cannot be; the text names it.
    pub fn to_raw(&self) -> Result<streams::ServerOptions, Error> {
        self.to_backend()
    }
}

impl ClientConfig {
    /// Returns the configuration as the interface has it. Only with the feature `imported`: a linked program has no interface.
    pub fn raw(&self) -> &tls::ClientConfig {
        self.inner()
    }
}

impl ServerConfig {
    /// Returns the configuration as the interface has it. Only with the feature `imported`: a linked program has no interface.
    pub fn raw(&self) -> &tls::ServerConfig {
        self.inner()
    }
}
