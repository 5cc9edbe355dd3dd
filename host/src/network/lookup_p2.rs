//! Name look-ups of WASI 0.2, for the names that were granted.
//!
//! The program takes the addresses of a name one by one, so each is stored when it is taken.

use std::collections::HashMap;

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, SocketError};

use super::check::NotLookedUp;
use super::lookup::{of_ipv4, of_ipv6};
use crate::state::State;

/// `wasi:sockets/ip-name-lookup` of WASI 0.2, after a check of the policy.
pub(crate) struct LookupP2;

/// The store's data that the interface needs.
pub(crate) struct LookupP2View<'a>(pub(crate) &'a mut State);

/// The names of pending look-ups, by the number of their resource.
pub(crate) type PendingNames = HashMap<u32, String>;

impl HasData for LookupP2 {
    type Data<'a> = LookupP2View<'a>;
}

impl network::Host for LookupP2View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.0.lookup_sockets().network_error_code(error)
    }
}

impl network::HostNetwork for LookupP2View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.0.lookup_sockets(), network)
    }
}

impl Host for LookupP2View<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        match self.0.policy().check_lookup(&name) {
            Ok(()) => {}
            Err(NotLookedUp::Denied) => return Err(ErrorCode::AccessDenied.into()),
            Err(NotLookedUp::NoHost) => return Err(ErrorCode::InvalidArgument.into()),
        }
        let mut sockets = self.0.lookup_sockets();
        let addresses = sockets.resolve_addresses(network, name.clone())?;
        self.0.pending_names().insert(addresses.rep(), name);
        Ok(addresses)
    }
}

impl HostResolveAddressStream for LookupP2View<'_> {
    fn resolve_next_address(
        &mut self,
        addresses: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        let number = addresses.rep();
        let next = self.0.lookup_sockets().resolve_next_address(addresses)?;
        let policy = self.0.policy();
        if let (Some(address), Some(name)) = (next, self.0.pending_names().get(&number)) {
            let address = match address {
                IpAddress::Ipv4(parts) => of_ipv4(parts),
                IpAddress::Ipv6(parts) => of_ipv6(parts),
            };
            policy.found(name, [address].into_iter());
        }
        Ok(next)
    }

    fn subscribe(
        &mut self,
        addresses: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.0.lookup_sockets().subscribe(addresses)
    }

    fn drop(&mut self, addresses: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.0.pending_names().remove(&addresses.rep());
        HostResolveAddressStream::drop(&mut self.0.lookup_sockets(), addresses)
    }
}
