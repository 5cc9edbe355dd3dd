//! `asyncio:streams/unix-host`: Unix sockets for the streams component, by the grants of the program's network.

mod connect;
mod failure;
mod file;
mod link;
mod listener;

#[cfg(feature = "serve")]
pub(crate) use file::SocketFile;
pub(crate) use link::add_to_linker;
