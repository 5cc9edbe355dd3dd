//! TLS as a transport: rustls between a connection's streams and the core. This module contains no cryptography.
//!
//! ```text
//!   Source --ciphertext--> Session --plaintext--> source::Decrypted
//!   Sink <--ciphertext-- (rustls) <--plaintext-- sink::Encrypted
//! ```
//!
//! Both directions share a [`Session`]. Input is decrypted only when a call waits for it. All output passes the
//! encrypting sink, including TLS's own messages: tickets, answers to key updates, alerts. So records are sent in the
//! order in which they were made.

mod alerts;
mod certificates;
mod client;
mod common;
mod der;
mod failure;
mod handshake;
mod key;
mod names;
mod pem;
mod sentences;
mod server;
mod session;
mod sink;
mod source;
mod suites;
mod unverified;
mod verdicts;

use std::rc::Rc;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, ServerConnection};

use crate::platform::BoxFuture;
use crate::protection::{ClientProtector, Failed, Protected, Protector, Unprotected};
use crate::types::Error;

pub use client::ClientSettings;
pub use common::Common;
pub use server::ServerSettings;

use session::Session;

/// Protects connections as a client.
#[derive(Clone)]
pub struct Client {
    config: Arc<rustls::ClientConfig>,
    name: Option<ServerName<'static>>,
    times: Times,
}

impl ClientProtector for Client {
    fn is_named(&self) -> bool {
        self.name.is_some()
    }

    fn named(self: Rc<Self>) -> Rc<dyn Protector> {
        self
    }

    fn for_host(self: Rc<Self>, host: &str) -> Result<Rc<dyn Protector>, Error> {
        if self.name.is_some() {
            return Ok(self);
        }
        let mut named = (*self).clone();
        named.name = Some(names::of_host(host)?);
        Ok(Rc::new(named))
    }
}

impl Protector for Client {
    fn handshake_timeout(&self) -> u64 {
        self.times.handshake
    }

    fn is_client(&self) -> bool {
        true
    }

    fn protect(&self, unprotected: Unprotected) -> BoxFuture<'static, Result<Protected, Failed>> {
        let Client {
            config,
            name,
            times,
        } = self.clone();
        Box::pin(async move {
            let name = name.ok_or_else(names::missing)?;
            let text = name.to_str().into_owned();
            let client = ClientConnection::new(config, name).map(Connection::Client);
            let session = session(client, Some(text), times, &unprotected)?;
            handshake::protect(unprotected, session).await
        })
    }
}

/// Protects connections as a server.
#[derive(Clone)]
pub struct Server {
    config: Arc<rustls::ServerConfig>,
    times: Times,
}

impl Protector for Server {
    fn handshake_timeout(&self) -> u64 {
        self.times.handshake
    }

    fn is_client(&self) -> bool {
        false
    }

    fn protect(&self, unprotected: Unprotected) -> BoxFuture<'static, Result<Protected, Failed>> {
        let Server { config, times } = self.clone();
        Box::pin(async move {
            let server = ServerConnection::new(config).map(Connection::Server);
            let session = session(server, None, times, &unprotected)?;
            handshake::protect(unprotected, session).await
        })
    }
}

/// Creates a session whose handshake has not begun.
fn session(
    connection: Result<Connection, rustls::Error>,
    name: Option<String>,
    times: Times,
    unprotected: &Unprotected,
) -> Result<Session, Error> {
    let connection = connection.map_err(|error| failure::error(&error))?;
    let activity = unprotected.activity.clone();
    let buffers = unprotected.engine.buffers();
    Ok(Session::new(connection, name, times, activity, buffers))
}

/// The times of a connection, in nanoseconds.
#[derive(Clone, Copy)]
struct Times {
    handshake: u64,
    /// Whether a close waits for the peer's end; `shutdown` bounds the wait.
    wait_for_peer: bool,
    shutdown: u64,
}

impl Default for Times {
    fn default() -> Self {
        Times {
            handshake: 60_000_000_000,
            wait_for_peer: false,
            shutdown: 30_000_000_000,
        }
    }
}

impl Times {
    fn set_handshake(&mut self, nanoseconds: u64) -> Result<(), Error> {
        self.handshake = positive(nanoseconds, "handshake timeout")?;
        Ok(())
    }

    fn set_shutdown(&mut self, nanoseconds: u64) -> Result<(), Error> {
        self.shutdown = positive(nanoseconds, "shutdown timeout")?;
        Ok(())
    }
}

fn positive(nanoseconds: u64, what: &str) -> Result<u64, Error> {
    if nanoseconds == 0 {
        return Err(Error::InvalidArgument(format!(
            "{what}: must be more than 0"
        )));
    }
    Ok(nanoseconds)
}
