//! The `server` resource.

use std::rc::Rc;

use asyncio_streams_engine as engine;
use asyncio_streams_wasi02::move_now;

use crate::blocking;
use crate::types::{Address, Error};

use super::{pair, wait, wait_for};

/// `server`.
pub(crate) struct Server(pub(super) Rc<engine::Server>);

pub(super) fn export(server: engine::Server) -> blocking::Server {
    blocking::Server::new(Server(Rc::new(server)))
}

impl Server {
    fn accept(&self, timeout: Option<u64>) -> Result<(engine::Reader, engine::Writer), Error> {
        match self.0.try_accept()? {
            Some(accepted) => Ok(accepted),
            None => wait(self.0.accept(), timeout),
        }
    }
}

impl blocking::GuestServer for Server {
    fn accept(&self, timeout: Option<u64>) -> Result<(blocking::Reader, blocking::Writer), Error> {
        self.accept(timeout).map(pair)
    }

    fn wait_connection(&self, timeout: Option<u64>) -> Result<bool, Error> {
        wait_for(self.0.wait_connection(), timeout)
    }

    fn try_accept(&self) -> Result<Option<(blocking::Reader, blocking::Writer)>, Error> {
        match self.accept(Some(0)) {
            Ok(accepted) => Ok(Some(pair(accepted))),
            Err(Error::Cancelled) => Ok(None),
            Err(error) => Err(error),
        }
    }

    asyncio_streams_face::server_methods!();

    fn abort_clients(&self) {
        self.0.abort_clients();
        move_now();
    }

    fn wait_closed(&self, timeout: Option<u64>) -> Result<(), Error> {
        let closed = async {
            self.0.wait_closed().await;
            Ok(())
        };
        wait(closed, timeout)
    }

    fn shutdown(&self, grace_nanoseconds: u64) -> u32 {
        let aborted = async { Ok(self.0.shutdown(grace_nanoseconds).await) };
        // It has a bound of its own, and a timer until then.
        wait(aborted, None).unwrap_or(0)
    }
}
