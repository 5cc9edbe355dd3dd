//! Names into addresses, and new sockets.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::errors::{LookupError, SocketError};
use asyncio_streams_engine::platform::{self, BoxFuture, Net};

use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::{ResolveAddressStream, resolve_addresses};
use crate::bindings::wasi::sockets::network::{ErrorCode, Network};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::interest::Interest;
use crate::reactor;

use super::Wasi;
use super::errors::{family, ip, lookup_error, socket_error};
use super::socket::TcpSocket;

thread_local! {
    static NETWORK: Network = instance_network();
}

/// Calls `act` with the network that the host grants.
pub(super) fn network<T>(act: impl FnOnce(&Network) -> T) -> T {
    NETWORK.with(act)
}

impl Net for Wasi {
    fn resolve(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, LookupError>> {
        Box::pin(async move {
            let answers = network(|network| resolve_addresses(network, &name));
            let mut lookup = Lookup {
                interest: Interest::default(),
                answers: answers.map_err(lookup_error)?,
                found: Vec::new(),
            };
            poll_fn(|cx| lookup.poll(cx)).await
        })
    }

    fn tcp_socket(
        &self,
        address: &SocketAddr,
    ) -> Result<Box<dyn platform::TcpSocket>, SocketError> {
        let socket = create_tcp_socket(family(address)).map_err(socket_error)?;
        Ok(Box::new(TcpSocket::new(socket)))
    }
}

/// A look-up that is pending. Fields are dropped in this order: the pollable first.
struct Lookup {
    interest: Interest,
    answers: ResolveAddressStream,
    found: Vec<IpAddr>,
}

impl Lookup {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<Vec<IpAddr>, LookupError>> {
        loop {
            let answer = self.answers.resolve_next_address();
            if !matches!(answer, Err(ErrorCode::WouldBlock)) {
                reactor::progress();
            }
            match answer {
                Ok(Some(address)) => self.found.push(ip(address)),
                Ok(None) => return Poll::Ready(Ok(std::mem::take(&mut self.found))),
                Err(ErrorCode::WouldBlock) => {
                    let answers = &self.answers;
                    ready!(self.interest.poll(cx, || answers.subscribe()));
                }
                Err(code) => return Poll::Ready(Err(lookup_error(code))),
            }
        }
    }
}
