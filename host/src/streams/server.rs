use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::client::{Client, Handle, Object};
use super::lane::Lane;
use super::options::nanoseconds;
use super::{Reader, Writer};
use crate::error::{Address, Error};

/// Listening sockets, and the connections that they accepted: the server's clients.
///
/// Dropping it closes the listening sockets; the clients continue.
pub struct Server {
    object: Object,
    lane: Lane,
    /// Receives the end of the server; set once a caller waits for it.
    ended: Mutex<Option<watch::Receiver<bool>>>,
}

impl Server {
    pub(super) fn new(handle: Handle, client: &Arc<Client>) -> Self {
        Self {
            object: Object::new(handle, client),
            lane: Lane::default(),
            ended: Mutex::default(),
        }
    }

    /// Waits for the next connection. One accept can be pending at a time. Dropping the future loses no connection.
    ///
    /// # Errors
    /// [`Error::Closed`] after [`close`](Server::close); [`Error::Busy`]; [`Error::Network`] when a listening
    /// socket failed.
    pub async fn accept(&self) -> Result<(Reader, Writer), Error> {
        let caller = self.lane.enter().await?;
        let (client, server) = (self.object.client(), self.object.guest().server());
        let resource = self.object.resource();
        loop {
            let shared = Arc::clone(client.shared());
            let attempt =
                self.object
                    .call(server.func_try_accept(), (resource,))
                    .map(move |(result,), _| {
                        let handles = |(reader, writer)| {
                            (Handle::new(reader, &shared), Handle::new(writer, &shared))
                        };
                        Ok(result.map(|accepted| accepted.map(handles)))
                    });
            if let Some((reader, writer)) = client.call_at_once(attempt).await?? {
                return Ok((Reader::new(reader, client), Writer::new(writer, client)));
            }
            let cancel = self.object.cancel(server.func_cancel(), (resource,));
            let wait = self.object.call(server.func_wait_connection(), (resource,));
            client
                .call(wait.borrow(caller.turn()).or_cancel(cancel))
                .await?
                .0?;
        }
    }

    /// Returns the addresses on which it listens.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn sockets(&self) -> Result<Vec<Address>, Error> {
        let func = self.object.guest().server().func_sockets();
        let (addresses,) = self.object.ask(func, (self.object.resource(),)).await?;
        Ok(addresses.into_iter().map(Address::from).collect())
    }

    /// Returns whether it listens.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn is_serving(&self) -> Result<bool, Error> {
        let func = self.object.guest().server().func_is_serving();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0)
    }

    /// Starts to listen, if the server was started without.
    ///
    /// # Errors
    /// [`Error::Closed`]; [`Error::Network`].
    pub async fn start_serving(&self) -> Result<(), Error> {
        let func = self.object.guest().server().func_start_serving();
        Ok(self.object.ask(func, (self.object.resource(),)).await?.0?)
    }

    /// Stops listening; the clients continue.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn close(&self) -> Result<(), Error> {
        self.object
            .ask(
                self.object.guest().server().func_close(),
                (self.object.resource(),),
            )
            .await
    }

    /// Closes every client, as [`Writer::close`] does.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn close_clients(&self) -> Result<(), Error> {
        self.object
            .ask(
                self.object.guest().server().func_close_clients(),
                (self.object.resource(),),
            )
            .await
    }

    /// Aborts every client, as [`Writer::abort`] does.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn abort_clients(&self) -> Result<(), Error> {
        self.object
            .ask(
                self.object.guest().server().func_abort_clients(),
                (self.object.resource(),),
            )
            .await
    }

    /// Waits until the server is closed and no client is left. Any number of callers may wait, any number of times.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn wait_closed(&self) -> Result<(), Error> {
        let mut ended = self.watch_end();
        match ended.wait_for(|ended| *ended).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Stopped(self.object.client().shared().failure())),
        }
    }

    /// Stops listening, lets the clients finish for `grace`, then aborts the remaining ones and returns how many.
    ///
    /// Dropping the future does not stop it.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn shutdown(&self, grace: Duration) -> Result<u32, Error> {
        let func = self.object.guest().server().func_shutdown();
        let call = self
            .object
            .call(func, (self.object.resource(), nanoseconds(grace)));
        Ok(self.object.client().call(call).await?.0)
    }

    /// Waiting for the end cannot be cancelled in the component, so one call serves all callers.
    fn watch_end(&self) -> watch::Receiver<bool> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.get_or_insert_with(|| self.ask_for_the_end()).clone()
    }

    fn ask_for_the_end(&self) -> watch::Receiver<bool> {
        let (tx, rx) = watch::channel(false);
        let func = self.object.guest().server().func_wait_closed();
        let call = self
            .object
            .call(func, (self.object.resource(),))
            .map(move |(), _| {
                tx.send_replace(true);
                Ok(())
            });
        self.object.client().schedule(call);
        rx
    }
}

impl Drop for Server {
    /// During such a wait the component still borrows the server, so dropping the handle alone would not close it.
    fn drop(&mut self) {
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if ended.is_some() {
            let func = self.object.guest().server().func_close();
            self.object
                .client()
                .schedule(self.object.call(func, (self.object.resource(),)));
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}
