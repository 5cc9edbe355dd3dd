//! The state of TLS that a transport carries for its connection.

use crate::types::TlsInfo;

/// The state that both directions of a protected connection share.
pub trait Session {
    /// Returns the result of the handshake.
    fn info(&self) -> TlsInfo;

    /// Returns how many encrypted bytes are stored.
    fn held(&self) -> usize;

    /// Returns whether one direction can end before the other (RFC 8446, 6.1).
    fn can_half_close(&self) -> bool;

    /// Sets the function to call when TLS has control messages to send.
    fn on_control(&self, act: Box<dyn Fn()>);
}
