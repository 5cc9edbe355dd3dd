use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use wasmtime::component::Access;

use super::client::{Call, Client, Handle};
use super::lane::Lane;
use super::options::nanoseconds;
use super::{Reader, Writer, wit};
use crate::error::{Address, Error};

/// Listening sockets, and the connections that came through them: the server's clients.
///
/// Dropping it closes the listening sockets; the clients go on.
pub struct Server {
    handle: Arc<Handle>,
    client: Arc<Client>,
    lane: Lane,
    /// Tells when it has ended; there once somebody waits for that.
    ended: Mutex<Option<watch::Receiver<bool>>>,
}

impl Server {
    pub(super) fn new(handle: Arc<Handle>, client: &Arc<Client>) -> Self {
        Self {
            handle,
            client: Arc::clone(client),
            lane: Lane::default(),
            ended: Mutex::default(),
        }
    }

    /// Waits for the next connection. One accept can be pending at a time. Dropping the future loses no connection.
    ///
    /// # Errors
    /// [`Error::Closed`] after [`close`](Server::close); [`Error::Busy`]; [`Error::Network`] when a listening socket
    /// failed.
    pub async fn accept(&self) -> Result<(Reader, Writer), Error> {
        let caller = self.lane.enter().await?;
        let guest = self.client.guest().server();
        let resource = self.handle.resource();
        loop {
            let shared = Arc::clone(self.client.shared());
            let attempt = Call {
                func: guest.func_try_accept(),
                params: move |_: &mut _| Ok((resource,)),
                keep: (),
                cancel: None,
                result: move |(result,): (Result<Option<_>, wit::Error>,), _: Access<'_, _>| {
                    let handles = |(reader, writer)| {
                        (Handle::new(reader, &shared), Handle::new(writer, &shared))
                    };
                    Ok(result.map(|accepted| accepted.map(handles)))
                },
            };
            if let Some((reader, writer)) = self.client.call(attempt, true).await?? {
                return Ok((
                    Reader::new(reader, &self.client),
                    Writer::new(writer, &self.client),
                ));
            }
            let keep = (caller.turn(), Arc::clone(&self.handle));
            let cancel = self.handle.cancel(guest.func_cancel(), (resource,));
            self.client
                .later(guest.func_wait_connection(), (resource,), keep, cancel)
                .await?
                .0?;
        }
    }

    /// The addresses on which it listens.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn sockets(&self) -> Result<Vec<Address>, Error> {
        let func = self.client.guest().server().func_sockets();
        let (addresses,) = self.client.now(func, (self.handle.resource(),)).await?;
        Ok(addresses.into_iter().map(Address::from).collect())
    }

    /// Does it listen?
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn is_serving(&self) -> Result<bool, Error> {
        let func = self.client.guest().server().func_is_serving();
        Ok(self.client.now(func, (self.handle.resource(),)).await?.0)
    }

    /// Begins to listen, if it was started without.
    ///
    /// # Errors
    /// [`Error::Closed`]; [`Error::Network`].
    pub async fn start_serving(&self) -> Result<(), Error> {
        let func = self.client.guest().server().func_start_serving();
        Ok(self.client.now(func, (self.handle.resource(),)).await?.0?)
    }

    /// Stops listening; the clients go on.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn close(&self) -> Result<(), Error> {
        self.client
            .now(
                self.client.guest().server().func_close(),
                (self.handle.resource(),),
            )
            .await
    }

    /// Closes every client, as [`Writer::close`] does.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn close_clients(&self) -> Result<(), Error> {
        self.client
            .now(
                self.client.guest().server().func_close_clients(),
                (self.handle.resource(),),
            )
            .await
    }

    /// Aborts every client, as [`Writer::abort`] does.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn abort_clients(&self) -> Result<(), Error> {
        self.client
            .now(
                self.client.guest().server().func_abort_clients(),
                (self.handle.resource(),),
            )
            .await
    }

    /// Waits until the server is closed and no client is left. Any number of times, by any number of callers.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn wait_closed(&self) -> Result<(), Error> {
        let mut ended = self.watch_end();
        match ended.wait_for(|ended| *ended).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Stopped(self.client.shared().failure())),
        }
    }

    /// Stops listening, lets the clients finish for `grace`, then aborts those that are left; gives how many.
    ///
    /// Dropping the future does not stop it.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn shutdown(&self, grace: Duration) -> Result<u32, Error> {
        let func = self.client.guest().server().func_shutdown();
        let params = (self.handle.resource(), nanoseconds(grace));
        Ok(self
            .client
            .later(func, params, Arc::clone(&self.handle), None)
            .await?
            .0)
    }

    /// Waiting for the end cannot be cancelled in the component, so it is asked once, whoever waits.
    fn watch_end(&self) -> watch::Receiver<bool> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.get_or_insert_with(|| self.ask_for_the_end()).clone()
    }

    fn ask_for_the_end(&self) -> watch::Receiver<bool> {
        let (tx, rx) = watch::channel(false);
        let call = Call {
            func: self.client.guest().server().func_wait_closed(),
            params: {
                let resource = self.handle.resource();
                move |_: &mut _| Ok((resource,))
            },
            keep: Arc::clone(&self.handle),
            cancel: None,
            result: move |(), _: Access<'_, _>| {
                tx.send_replace(true);
                Ok(())
            },
        };
        self.client.schedule(call);
        rx
    }
}

impl Drop for Server {
    /// While the end is waited for, the component still has the server on loan, and dropping the handle alone would not
    /// close it.
    fn drop(&mut self) {
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if ended.is_some() {
            let resource = self.handle.resource();
            self.client.schedule(Call {
                func: self.client.guest().server().func_close(),
                params: move |_: &mut _| Ok((resource,)),
                keep: Arc::clone(&self.handle),
                cancel: None,
                result: |(), _: Access<'_, _>| Ok(()),
            });
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}
