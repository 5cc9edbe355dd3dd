//! From names and addresses to connected and listening sockets.

pub(crate) mod address;
pub(crate) mod budget;
pub(crate) mod connect;
pub(crate) mod listen;
pub(crate) mod lobby;
pub(crate) mod resolve;
pub(crate) mod socket;
