//! The `server` resource.

use asyncio_streams_engine as engine;

use crate::streams;
use crate::types::{Address, Error};

use super::numbers::Numbered;
use super::{answer, pair};

/// `server`.
pub(crate) struct Server(pub(super) Numbered<engine::Server>);

pub(super) fn export(server: engine::Server) -> streams::Server {
    streams::Server::new(Server(Numbered::new(server)))
}

impl streams::GuestServer for Server {
    async fn accept(&self) -> Result<(streams::Reader, streams::Writer), Error> {
        answer(self.0.accept()).await.map(pair)
    }

    async fn wait_connection(&self) -> Result<(), Error> {
        answer(self.0.wait_connection()).await
    }

    fn try_accept(&self) -> Result<Option<(streams::Reader, streams::Writer)>, Error> {
        Ok(self.0.try_accept()?.map(pair))
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    asyncio_streams_face::server_methods!();

    fn abort_clients(&self) {
        self.0.abort_clients();
    }

    async fn wait_closed(&self) {
        crate::engine().settle_now();
        self.0.wait_closed().await;
    }

    async fn shutdown(&self, grace_nanoseconds: u64) -> u32 {
        crate::engine().settle_now();
        self.0.shutdown(grace_nanoseconds).await
    }
}
