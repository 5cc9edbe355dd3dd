//! Without TLS there are no handshakes, and none fails.

use std::rc::Rc;

use crate::engine::Engine;
use crate::transport::Transport;

use super::{Failed, Protector};

impl Transport {
    /// Returns the connection. No caller has a protector.
    pub(crate) async fn protect(
        self,
        _: &Engine,
        _: Option<Rc<dyn Protector>>,
    ) -> Result<Self, Failed> {
        Ok(self)
    }
}

/// The remains of a connection whose handshake has failed: there are none.
pub(crate) enum Remains {}

impl Remains {
    pub(crate) async fn linger(self, _: &Engine) {
        match self {}
    }
}
