//! The calls behind the crate's: those of the component's own resources, without what the crate adds to them. A linked program has
//! no component, so there they are the crate's, with the same arguments.

use asyncio_streams::{Reader, Server, Writer};

#[cfg(feature = "imported")]
use asyncio_streams::bindings::streams;

/// The errors of these calls.
#[cfg(feature = "imported")]
pub use asyncio_streams::bindings::types::Error as RawError;

/// The errors of these calls.
#[cfg(not(feature = "imported"))]
pub use asyncio_streams::Error as RawError;

/// The component's reader.
#[cfg(feature = "imported")]
pub type RawReader<'a> = &'a streams::Reader;

/// The crate's writer, or the component's.
#[cfg(feature = "imported")]
pub type RawWriter<'a> = &'a streams::Writer;

/// The crate's writer, or the component's.
#[cfg(not(feature = "imported"))]
pub type RawWriter<'a> = &'a Writer;

/// The crate's server, or the component's.
#[cfg(feature = "imported")]
pub type RawServer<'a> = &'a streams::Server;

/// The crate's server, or the component's.
#[cfg(not(feature = "imported"))]
pub type RawServer<'a> = &'a Server;

#[cfg(not(feature = "imported"))]
pub use linked::RawReader;

/// Returns what is behind a reader.
pub fn raw_reader(reader: &Reader) -> RawReader<'_> {
    #[cfg(feature = "imported")]
    return reader.raw();
    #[cfg(not(feature = "imported"))]
    return RawReader(reader);
}

/// Returns what is behind a writer.
pub fn raw_writer(writer: &Writer) -> RawWriter<'_> {
    #[cfg(feature = "imported")]
    return writer.raw();
    #[cfg(not(feature = "imported"))]
    return writer;
}

/// Returns what is behind a server.
pub fn raw_server(server: &Server) -> RawServer<'_> {
    #[cfg(feature = "imported")]
    return server.raw();
    #[cfg(not(feature = "imported"))]
    return server;
}

/// Returns the crate's connection of one that `RawServer::accept` has returned.
#[cfg(feature = "imported")]
pub fn crate_connection((reader, writer): (streams::Reader, streams::Writer)) -> (Reader, Writer) {
    (reader.into(), writer.into())
}

/// Returns the crate's connection of one that `RawServer::accept` has returned.
#[cfg(not(feature = "imported"))]
pub fn crate_connection(connection: (Reader, Writer)) -> (Reader, Writer) {
    connection
}

/// Returns the crate's error of one of these calls.
#[cfg(feature = "imported")]
pub fn crate_error(error: RawError) -> asyncio_streams::Error {
    error.into()
}

/// Returns the crate's error of one of these calls.
#[cfg(not(feature = "imported"))]
pub fn crate_error(error: RawError) -> asyncio_streams::Error {
    error
}

#[cfg(not(feature = "imported"))]
mod linked {
    use std::ops::Deref;

    use asyncio_streams::{Error, Reader, Wanted};

    type Read = Result<Vec<u8>, Error>;

    /// The crate's reader, with the arguments of the component's.
    #[derive(Clone, Copy, Debug)]
    pub struct RawReader<'a>(pub(super) &'a Reader);

    impl Deref for RawReader<'_> {
        type Target = Reader;

        fn deref(&self) -> &Reader {
            self.0
        }
    }

    #[allow(clippy::missing_errors_doc, reason = "they are the reads of the crate")]
    impl RawReader<'_> {
        /// Reads to the end without `n`.
        pub async fn read(self, n: Option<u32>) -> Read {
            match n {
                Some(n) => self.0.read(n as usize).await,
                None => self.0.read_to_end().await,
            }
        }

        /// Reads a line.
        pub async fn readline(self) -> Read {
            self.0.readline().await
        }

        /// Reads `n` bytes.
        pub async fn readexactly(self, n: u32) -> Read {
            self.0.readexactly(n as usize).await
        }

        /// Reads up to one of the separators.
        pub async fn readuntil(self, separators: Vec<Vec<u8>>) -> Read {
            let separators: Vec<&[u8]> = separators.iter().map(Vec::as_slice).collect();
            self.0.readuntil_any(&separators).await
        }

        /// Reads lines.
        pub async fn readlines(self, n: u32) -> Read {
            self.0.readlines(n as usize).await
        }

        /// Waits for input.
        pub async fn wait(self, wanted: Wanted) -> Result<(), Error> {
            self.0.wait(wanted).await
        }
    }
}
