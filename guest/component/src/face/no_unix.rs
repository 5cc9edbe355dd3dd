//! The `unix` interface without Unix sockets: it refuses.

use crate::types::Error;
use crate::{Component, streams, unix};

impl unix::Guest for Component {
    fn open_unix_connection(
        _: Vec<u8>,
        _: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<(streams::Reader, streams::Writer), Error> {
        refuse()
    }

    fn start_unix_server(
        _: Vec<u8>,
        _: Option<u32>,
        _: bool,
        _: Option<streams::ServerOptionsBorrow<'_>>,
    ) -> Result<streams::Server, Error> {
        refuse()
    }

    fn peer_credentials(_: streams::WriterBorrow<'_>) -> Option<unix::Credentials> {
        None
    }
}

// Inlined, so that the compiler knows the case of the error here and leaves out the code that lowers the others.
#[inline(always)]
fn refuse<T>() -> Result<T, Error> {
    Err(Error::NotSupported(reason()))
}

#[inline(never)]
fn reason() -> String {
    "Unix sockets: this component has none, streams-unix.wasm and streams-unix-tls.wasm have".into()
}
