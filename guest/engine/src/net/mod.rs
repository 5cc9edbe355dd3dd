//! Turns names and addresses into connected and listening sockets.

pub(crate) mod address;
pub(crate) mod connect;
pub(crate) mod host;
mod idna;
mod ipv4;
pub(crate) mod listen;
mod punycode;
pub(crate) mod resolve;
mod socket;
