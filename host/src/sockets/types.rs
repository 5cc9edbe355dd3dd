//! The interface `wasi:sockets/types` with the host's own `tcp-socket`, for bindings that mention it.

pub use wasmtime_wasi::p3::bindings::sockets::types::*;

pub use super::tcp::Tcp as TcpSocket;
