//! The settings that clients and servers have in common.

use crate::types::Error;
use crate::types::TlsVersion;

use super::Times;
use super::suites::{self, Versions};

/// The settings that clients and servers share.
pub struct Common {
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) versions: Versions,
    pub(super) resumption: bool,
    pub(super) times: Times,
    /// A setting has changed since the configuration was made.
    changed: bool,
}

impl Default for Common {
    fn default() -> Self {
        Common {
            alpn: Vec::new(),
            versions: Versions::default(),
            resumption: true,
            times: Times::default(),
            changed: false,
        }
    }
}

impl Common {
    /// Sets the application protocols, in the order of preference (RFC 7301).
    ///
    /// # Errors
    ///
    /// `invalid-argument` if a name is empty or longer than 255 bytes, or if there are more than 255 names.
    pub fn set_alpn(&mut self, protocols: Vec<String>) -> Result<(), Error> {
        self.alpn = suites::alpn(protocols)?;
        self.change();
        Ok(())
    }

    /// Sets the oldest and the newest version.
    ///
    /// # Errors
    ///
    /// `invalid-argument` if the oldest is newer than the newest.
    pub fn set_versions(&mut self, oldest: TlsVersion, newest: TlsVersion) -> Result<(), Error> {
        self.versions = Versions::between(oldest, newest)?;
        self.change();
        Ok(())
    }

    /// Sets whether a session may resume an earlier one.
    ///
    /// # Errors
    ///
    /// Those of all setters.
    pub fn set_resumption(&mut self, on: bool) -> Result<(), Error> {
        self.resumption = on;
        self.change();
        Ok(())
    }

    /// Sets the nanoseconds that a handshake may take.
    ///
    /// # Errors
    ///
    /// `invalid-argument` for 0.
    pub fn set_handshake_timeout(&mut self, nanoseconds: u64) -> Result<(), Error> {
        self.times.set_handshake(nanoseconds)
    }

    /// Sets whether a close waits for the peer's end.
    ///
    /// # Errors
    ///
    /// Those of all setters.
    pub fn set_wait_for_peer(&mut self, on: bool) -> Result<(), Error> {
        self.times.wait_for_peer = on;
        Ok(())
    }

    /// Sets the nanoseconds that a close waits for the peer's end.
    ///
    /// # Errors
    ///
    /// `invalid-argument` for 0.
    pub fn set_shutdown_timeout(&mut self, nanoseconds: u64) -> Result<(), Error> {
        self.times.set_shutdown(nanoseconds)
    }

    /// Records that the configuration is out of date. Not called for times: they belong to the connection.
    pub(super) fn change(&mut self) {
        self.changed = true;
    }

    /// Returns whether anything has changed since the last call.
    pub(super) fn was_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}
