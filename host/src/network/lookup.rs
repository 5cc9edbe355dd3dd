//! Name look-ups of WASI 0.3, for the names that were granted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wasmtime::component::{Accessor, HasData};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::{ErrorCode, Host, HostWithStore};
use wasmtime_wasi::p3::bindings::sockets::types::IpAddress;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtx};

use super::check::NotLookedUp;
use crate::state::State;

/// `wasi:sockets/ip-name-lookup`, after a check of the policy.
pub(crate) struct Lookup;

/// The store's data that the interface needs: none, since every look-up needs the store itself.
pub(crate) struct LookupView;

impl HasData for Lookup {
    type Data<'a> = LookupView;
}

impl Lookup {
    /// Sockets of WASI that look up every name; the policy is asked before.
    pub(crate) fn sockets() -> WasiSocketsCtx {
        WasiCtxBuilder::new()
            .allow_ip_name_lookup(true)
            .build()
            .sockets()
            .clone()
    }
}

impl Host for LookupView {}

impl HostWithStore<State> for Lookup {
    async fn resolve_addresses(
        store: &Accessor<State, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<IpAddress>, ErrorCode>> {
        let policy = store.with(|mut store| store.data_mut().policy());
        match policy.check_lookup(&name) {
            Ok(()) => {}
            Err(NotLookedUp::Denied) => return Ok(Err(ErrorCode::AccessDenied)),
            Err(NotLookedUp::NoHost) => return Ok(Err(ErrorCode::InvalidArgument)),
        }
        let sockets = store.with_getter::<WasiSockets>(State::lookup_sockets);
        let found =
            <WasiSockets as HostWithStore<State>>::resolve_addresses(&sockets, name.clone())
                .await?;
        if let Ok(addresses) = &found {
            policy.found(&name, addresses.iter().map(address));
        }
        Ok(found)
    }
}

fn address(address: &IpAddress) -> IpAddr {
    match *address {
        IpAddress::Ipv4(parts) => of_ipv4(parts),
        IpAddress::Ipv6(parts) => of_ipv6(parts),
    }
}

/// Converts an address of either version of WASI.
pub(super) fn of_ipv4((a, b, c, d): (u8, u8, u8, u8)) -> IpAddr {
    Ipv4Addr::new(a, b, c, d).into()
}

/// Converts an address of either version of WASI.
pub(super) fn of_ipv6(parts: (u16, u16, u16, u16, u16, u16, u16, u16)) -> IpAddr {
    let (a, b, c, d, e, f, g, h) = parts;
    Ipv6Addr::new(a, b, c, d, e, f, g, h).into()
}
