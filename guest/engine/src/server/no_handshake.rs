//! Without TLS, accepted connections have no handshake.

use std::rc::Rc;

use crate::quota::HandlePermit;
use crate::transport::Transport;

use super::Inner;

impl Inner {
    /// Hands a connection out.
    pub(super) fn receive(self: &Rc<Self>, transport: Transport, permit: HandlePermit) {
        self.hand_out(transport, permit);
    }
}
