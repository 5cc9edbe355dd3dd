//! A name service from a table, in place of the system's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::vec;

use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::bindings::sockets::network as p2;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::p3::bindings::sockets::{ip_name_lookup as p3, types as p3_types};

/// The addresses of each name.
pub(crate) type Names = BTreeMap<String, Vec<IpAddr>>;

/// The addresses of a name that a program of WASI 0.2 has not taken yet. It never waits.
struct Addresses(vec::IntoIter<IpAddr>);

impl Pollable for Addresses {
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async {})
    }
}

/// Looks names up in a table, for programs of both versions of WASI.
pub(crate) fn add_to_linker<T: WasiView>(linker: &mut Linker<T>, names: &Names) -> Result<()> {
    linker.allow_shadowing(true);
    version_3(
        &mut linker.instance("wasi:sockets/ip-name-lookup@0.3.0")?,
        names.clone(),
    )?;
    version_2(
        &mut linker.instance("wasi:sockets/ip-name-lookup@0.2.0")?,
        names.clone(),
    )
}

fn version_3<T: WasiView>(interface: &mut LinkerInstance<'_, T>, names: Names) -> Result<()> {
    let address = |address| match address {
        IpAddr::V4(address) => p3_types::IpAddress::Ipv4(address.octets().into()),
        IpAddr::V6(address) => p3_types::IpAddress::Ipv6(address.segments().into()),
    };
    interface.func_wrap_concurrent("resolve-addresses", move |_, (name,): (String,)| {
        let found = names.get(&name).cloned();
        let found = found.map(|found| found.into_iter().map(address).collect::<Vec<_>>());
        let found = found.ok_or(p3::ErrorCode::NameUnresolvable);
        Box::pin(async move { Ok((found,)) })
    })
}

fn version_2<T: WasiView>(interface: &mut LinkerInstance<'_, T>, names: Names) -> Result<()> {
    interface.resource(
        "resolve-address-stream",
        ResourceType::host::<Addresses>(),
        |mut store, addresses| {
            let addresses = Resource::<Addresses>::new_own(addresses);
            store.data_mut().ctx().table.delete(addresses)?;
            Ok(())
        },
    )?;
    interface.func_wrap(
        "resolve-addresses",
        move |mut store: StoreContextMut<'_, T>,
              (_, name): (Resource<wasmtime_wasi::p2::Network>, String)| {
            let Some(found) = names.get(&name).cloned() else {
                return Ok((Err(p2::ErrorCode::NameUnresolvable),));
            };
            let addresses = Addresses(found.into_iter());
            Ok((Ok(store.data_mut().ctx().table.push(addresses)?),))
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store: StoreContextMut<'_, T>, (addresses,): (Resource<Addresses>,)| {
            let next = store.data_mut().ctx().table.get_mut(&addresses)?.0.next();
            let next = next.map(|address| match address {
                IpAddr::V4(address) => p2::IpAddress::Ipv4(address.octets().into()),
                IpAddr::V6(address) => p2::IpAddress::Ipv6(address.segments().into()),
            });
            Ok((Ok::<_, p2::ErrorCode>(next),))
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: StoreContextMut<'_, T>, (addresses,): (Resource<Addresses>,)| {
            let pollable: Resource<DynPollable> =
                subscribe(store.data_mut().ctx().table, addresses)?;
            Ok((pollable,))
        },
    )
}
