//! What stands for TLS in a component without it: settings that refuse, and roles that nobody can have.

use crate::activity::Activity;
use crate::bindings::exports::asyncio::streams::tls::{ClientAuthentication, TlsVersion};
use crate::bindings::exports::asyncio::streams::types::Error;

pub(crate) use crate::bindings::exports::asyncio::streams::tls::TlsInfo;

// Inlined, as all that leads here: where it is seen which error it is, the code for all others is left out.
#[inline(always)]
fn refuse<T>() -> Result<T, Error> {
    Err(Error::NotSupported(reason()))
}

#[inline(never)]
fn reason() -> String {
    "TLS: this component has none, streams-tls.wasm has".into()
}

/// What both configurations say.
#[derive(Default)]
pub(crate) struct Common;

/// What a `client-config` says.
#[derive(Default)]
pub(crate) struct ClientSettings {
    pub(crate) common: Common,
}

/// What a `server-config` says.
#[derive(Default)]
pub(crate) struct ServerSettings {
    pub(crate) common: Common,
}

/// Setters, each of which refuses.
macro_rules! refuse {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(&mut self, $(_: $argument),*) -> Result<$result, Error> {
            refuse()
        })*
    };
}

impl Common {
    refuse! {
        set_alpn(Vec<String>) -> ();
        set_versions(TlsVersion, TlsVersion) -> ();
        set_resumption(bool) -> ();
        set_handshake_timeout(u64) -> ();
        set_wait_for_peer(bool) -> ();
        set_shutdown_timeout(u64) -> ();
    }
}

impl ClientSettings {
    refuse! {
        set_built_in_roots(bool) -> ();
        add_roots(&[u8]) -> u32;
        set_certificate(&[u8], Vec<u8>) -> ();
        accept_any_certificate() -> ();
        role(Option<&str>) -> Client;
    }
}

impl ServerSettings {
    refuse! {
        add_certificate(&[u8], Vec<u8>) -> ();
        set_client_authentication(ClientAuthentication) -> ();
        add_client_roots(&[u8]) -> u32;
        role() -> Server;
    }
}

/// How to protect connections as their client.
#[derive(Clone)]
pub(crate) enum Client {}

/// How to protect connections as their server.
#[derive(Clone)]
pub(crate) enum Server {}

/// How to protect one connection.
#[derive(Clone)]
pub(crate) enum Role {
    Client(Client),
    Server(Server),
}

/// What protects a connection.
#[derive(Clone)]
pub(crate) enum Session {}

/// The bytes that come in protected.
pub(crate) enum Incoming {}

/// The bytes that go out protected.
pub(crate) enum Outgoing {}

impl Client {
    pub(crate) fn or_named(self, _: &str) -> Result<Self, Error> {
        match self {}
    }

    pub(crate) fn is_named(&self) -> bool {
        match *self {}
    }
}

impl Role {
    pub(crate) fn handshake_timeout(&self) -> u64 {
        match self {
            Role::Client(client) => match *client {},
            Role::Server(server) => match *server {},
        }
    }
}

impl Session {
    pub(crate) fn info(&self) -> TlsInfo {
        match *self {}
    }

    pub(crate) fn can_half_close(&self) -> bool {
        match *self {}
    }

    pub(crate) fn held(&self) -> usize {
        match *self {}
    }

    pub(crate) fn wants_to_speak(&self, _: &std::task::Context<'_>) -> bool {
        match *self {}
    }
}

/// Why there is no protection.
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) remains: Option<Remains>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed {
            error,
            remains: None,
        }
    }
}

impl Failed {
    pub(crate) fn leave<T>(self, _: T) -> Error {
        self.error
    }
}

/// A connection whose handshake has failed.
pub(crate) enum Remains {}

impl Remains {
    pub(crate) async fn part(self) {
        match self {}
    }
}

pub(crate) async fn protect(
    _: super::Incoming,
    _: super::Outgoing,
    _: Vec<u8>,
    role: Role,
    _: Activity,
) -> Result<(super::Incoming, super::Outgoing, Session), Failed> {
    match role {
        Role::Client(client) => match client {},
        Role::Server(server) => match server {},
    }
}

impl Incoming {
    pub(crate) async fn ready(&mut self) -> bool {
        match *self {}
    }

    pub(crate) async fn read(&mut self, _: usize) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(crate) async fn outcome(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) async fn outcome_unread(&mut self) -> Result<(), Error> {
        match *self {}
    }
}

impl Outgoing {
    pub(crate) async fn write(&mut self, _: Vec<u8>, _: impl FnMut(usize)) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn write_now(&mut self, _: Vec<u8>) -> usize {
        match *self {}
    }

    pub(crate) fn has_rest(&self) -> bool {
        match *self {}
    }

    pub(crate) async fn write_rest(&mut self, _: impl FnMut(usize)) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) async fn speak(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn waits_for_peer(&self) -> bool {
        match *self {}
    }

    pub(crate) async fn peer_ended(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) async fn last_words(&mut self) {
        match *self {}
    }
}
