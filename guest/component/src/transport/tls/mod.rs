//! TLS as a transport: rustls between a connection's streams and the core. There is no cryptography here.
//!
//! ```text
//!   plain::Incoming --ciphertext--> Session --plaintext--> Incoming
//!   plain::Outgoing <--ciphertext-- (rustls) <--plaintext-- Outgoing
//! ```
//!
//! Both directions share a [`Session`]. Input is decrypted by the task that waits for it, and not before; everything
//! that goes out is written by the task that has the [`Outgoing`], also what TLS has to say by itself: tickets, answers
//! to a change of keys, alerts. So records leave in the order in which they were made.

mod alerts;
mod certificates;
mod client;
mod common;
mod der;
mod failure;
mod handshake;
mod incoming;
mod key;
mod names;
mod outgoing;
mod pem;
mod sentences;
mod server;
mod session;
mod suites;
mod unverified;
mod verdicts;

use std::rc::Rc;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, ServerConnection};

use crate::activity::Activity;
use crate::bindings::exports::asyncio::streams::types::Error;

pub(crate) use crate::bindings::exports::asyncio::streams::tls::TlsInfo;
pub(crate) use client::ClientSettings;
pub(crate) use handshake::{Failed, Remains, protect};
pub(crate) use incoming::Incoming;
pub(crate) use outgoing::Outgoing;
pub(crate) use server::ServerSettings;
pub(crate) use session::Session;

/// How to protect connections as their client.
#[derive(Clone)]
pub(crate) struct Client {
    config: Arc<rustls::ClientConfig>,
    name: Option<ServerName<'static>>,
    times: Times,
}

impl Client {
    /// With the name to verify, if none was set.
    ///
    /// # Errors
    ///
    /// Those of connecting to a host that is neither a name nor an address.
    pub(crate) fn or_named(mut self, host: &str) -> Result<Self, Error> {
        if self.name.is_none() {
            self.name = Some(names::of_host(host)?);
        }
        Ok(self)
    }

    /// Whether there is a name to verify.
    pub(crate) fn is_named(&self) -> bool {
        self.name.is_some()
    }
}

/// How to protect connections as their server.
#[derive(Clone)]
pub(crate) struct Server {
    config: Arc<rustls::ServerConfig>,
    times: Times,
}

/// How to protect one connection.
#[derive(Clone)]
pub(crate) enum Role {
    Client(Client),
    Server(Server),
}

impl Role {
    /// Nanoseconds that the handshake may take.
    pub(crate) fn handshake_timeout(&self) -> u64 {
        self.times().handshake
    }

    fn times(&self) -> Times {
        match self {
            Role::Client(client) => client.times,
            Role::Server(server) => server.times,
        }
    }

    /// A session that has not begun.
    fn session(self, activity: Activity) -> Result<Session, Error> {
        let times = self.times();
        let (connection, name) = match self {
            Role::Client(Client { config, name, .. }) => {
                let name = name.ok_or_else(names::missing)?;
                let text = name.to_str().into_owned();
                let client = ClientConnection::new(config, name);
                (client.map(Connection::Client), Some(text))
            }
            Role::Server(Server { config, .. }) => {
                (ServerConnection::new(config).map(Connection::Server), None)
            }
        };
        let connection = connection.map_err(|error| failure::error(&error))?;
        Ok(Session::new(Rc::new(session::Inner::new(
            connection, name, times, activity,
        ))))
    }
}

/// How long things may take, in nanoseconds.
#[derive(Clone, Copy)]
struct Times {
    handshake: u64,
    /// Whether a close waits for the peer's end, and for how long.
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
