//! The `server` resource.

use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::{Address, Error};
use crate::connection::Connection;
use crate::driver;
use crate::net::address;
use crate::net::listen::{self, Listener};
use crate::server::{self, Rules};
use crate::streams;

use super::options::Serve;

/// A server.
pub(crate) struct Server(Rc<server::Server>);

pub(super) async fn start(
    hosts: Vec<String>,
    port: u16,
    options: Serve,
) -> Result<streams::Server, Error> {
    let round = options.cancel.begin();
    let listeners = {
        let binding = pin!(async {
            // A server that was closed just before may have the address still.
            driver::cancelled_have_ended().await;
            listen::bind_all(&hosts, port, options.family).await
        });
        match select(binding, pin!(round.cancelled())).await {
            Either::Left((listeners, _)) => listeners?,
            Either::Right((cancelled, _)) => return Err(cancelled),
        }
    };
    serve(listeners, &options)
}

/// A server on bound sockets. Only in async calls.
pub(super) fn serve(listeners: Vec<Listener>, options: &Serve) -> Result<streams::Server, Error> {
    for listener in &listeners {
        listener.keep_alive(&options.keep_alive)?;
    }
    let rules = Rules {
        settings: options.settings,
        backlog: options.backlog,
        max_connections: options.max_connections,
        idle_timeout: options.idle_timeout,
        tls: options.tls.clone(),
    };
    let server = server::Server::new(listeners, rules)?;
    if options.start_serving {
        server.start_serving()?;
    }
    Ok(streams::Server::new(Server(server)))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl streams::GuestServer for Server {
    async fn accept(&self) -> Result<(streams::Reader, streams::Writer), Error> {
        loop {
            self.0.arrival().await?;
            if let Some(connection) = self.0.pop() {
                return Ok(super::pair(connection));
            }
        }
    }

    async fn wait_connection(&self) -> Result<(), Error> {
        self.0.arrival().await
    }

    fn try_accept(&self) -> Result<Option<(streams::Reader, streams::Writer)>, Error> {
        if self.0.is_closed() {
            return Err(Error::Closed);
        }
        if self.0.is_accepting() {
            return Err(Error::Busy);
        }
        Ok(self.0.pop().map(super::pair))
    }

    fn cancel(&self) {
        self.0.cancel_accept();
    }

    fn sockets(&self) -> Vec<Address> {
        self.0
            .addresses()
            .into_iter()
            .map(address::to_interface)
            .collect()
    }

    fn is_serving(&self) -> bool {
        self.0.is_serving()
    }

    fn start_serving(&self) -> Result<(), Error> {
        self.0.start_serving()
    }

    fn close(&self) {
        self.0.close();
    }

    fn close_clients(&self) {
        self.0.each_client(Connection::close);
    }

    fn abort_clients(&self) {
        self.0.each_client(Connection::abort);
    }

    async fn wait_closed(&self) {
        self.0.done().await;
    }

    async fn shutdown(&self, grace_nanoseconds: u64) -> u32 {
        self.0.close();
        let in_time =
            match select(pin!(self.0.done()), pin!(driver::sleep(grace_nanoseconds))).await {
                Either::Left(_) => true,
                Either::Right(_) => false,
            };
        if in_time {
            return 0;
        }
        let aborted = self.0.each_client(Connection::abort);
        self.0.done().await;
        aborted
    }
}
