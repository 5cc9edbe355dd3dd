//! `start-tls` without TLS.

use std::rc::Rc;

use crate::platform::Sink;
use crate::protection::Protector;
use crate::types::Error;

use super::Connection;

/// A handshake that has not begun yet: there is none.
pub(super) enum Upgrade {}

impl Connection {
    /// Refuses. No caller has a protector.
    ///
    /// # Errors
    ///
    /// `not-supported`.
    pub(crate) async fn start_tls(self: &Rc<Self>, _: Rc<dyn Protector>) -> Result<(), Error> {
        Err(Error::NotSupported("TLS: the engine has none".into()))
    }

    pub(super) async fn begin_upgrade(
        self: &Rc<Self>,
        sink: Box<dyn Sink>,
    ) -> Result<Box<dyn Sink>, Error> {
        Ok(sink)
    }

    pub(super) fn forget_upgrade(&self) {}
}
