//! The functions of `tcp-socket` that replace wasmtime-wasi's.

use std::net::SocketAddr;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, Linker, LinkerInstance, Resource, ResourceType, StreamReader};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::sockets::SocketAddrUse;

use super::stream::{receive, send};
use super::tcp::Tcp;
use crate::state::State;

const INTERFACE: &str = "wasi:sockets/types@0.3.0";

type Store<'a> = StoreContextMut<'a, State>;
type This = Resource<Tcp>;
type Outcome<T> = Result<T, ErrorCode>;

/// Replaces `tcp-socket` in a linker that has all of WASI and allows shadowing.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.resource(
        "tcp-socket",
        ResourceType::host::<Tcp>(),
        |mut store, rep| {
            store
                .data_mut()
                .table_mut()
                .delete(Resource::<Tcp>::new_own(rep))?;
            Ok(())
        },
    )?;
    add_opening(&mut interface)?;
    add_streams(&mut interface)?;
    add_names(&mut interface)?;
    add_options(&mut interface)
}

fn add_opening(interface: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    interface.func_wrap(
        "[static]tcp-socket.create",
        |mut store: Store<'_>, (family,): (IpAddressFamily,)| {
            let created = match store.data().allows_tcp() {
                true => Tcp::create(family),
                false => Err(ErrorCode::AccessDenied),
            };
            let socket: Outcome<This> = match created {
                Ok(socket) => Ok(store.data_mut().table_mut().push(socket)?),
                Err(code) => Err(code),
            };
            Ok((socket,))
        },
    )?;
    interface.func_wrap(
        "[method]tcp-socket.bind",
        |mut store: Store<'_>, (this, address): (This, IpSocketAddress)| {
            Ok((bind(store.data_mut(), &this, address.into())?,))
        },
    )?;
    interface.func_wrap_concurrent(
        "[method]tcp-socket.connect",
        |store: &Accessor<State>, (this, address): (This, IpSocketAddress)| {
            Box::pin(async move { Ok((connect(store, this, address.into()).await?,)) })
        },
    )
}

/// Binds. An address on which the host listens needs no grant; every other one does.
fn bind(state: &mut State, this: &This, address: SocketAddr) -> wasmtime::Result<Outcome<()>> {
    if let Err(code) = state.table().get(this)?.check_bind(address) {
        return Ok(Err(code));
    }
    if let Some(given) = state.take_given(address) {
        state.table_mut().get_mut(this)?.bind_given(given);
        return Ok(Ok(()));
    }
    let policy = state.policy();
    if !policy.check(address, SocketAddrUse::TcpBind) {
        return Ok(Err(ErrorCode::AccessDenied));
    }
    let socket = state.table_mut().get_mut(this)?;
    let bound = socket.bind(address);
    if let (Ok(()), Ok(given)) = (&bound, socket.local_address()) {
        policy.bound(address, given);
    }
    Ok(bound)
}

async fn connect(
    store: &Accessor<State>,
    this: This,
    address: SocketAddr,
) -> wasmtime::Result<Outcome<()>> {
    let started = store.with(|mut store| {
        let state = store.data_mut();
        let policy = state.policy();
        let socket = state.table_mut().get_mut(&this)?;
        wasmtime::error::Ok(socket.start_connect(address, &policy))
    })?;
    let socket = match started {
        Ok(socket) => socket,
        Err(code) => return Ok(Err(code)),
    };
    let connected = socket.connect(address).await;
    store.with(|mut store| {
        let socket = store.data_mut().table_mut().get_mut(&this)?;
        Ok(socket.connected(connected))
    })
}

fn add_streams(interface: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    interface.func_wrap(
        "[method]tcp-socket.listen",
        |mut store: Store<'_>, (this,): (This,)| {
            let policy: Arc<_> = store.data().policy();
            let accept = store.data_mut().table_mut().get_mut(&this)?.listen(&policy);
            let stream: Outcome<StreamReader<This>> = match accept {
                Ok(accept) => Ok(StreamReader::new(&mut store, accept)?),
                Err(code) => Err(code),
            };
            Ok((stream,))
        },
    )?;
    interface.func_wrap(
        "[method]tcp-socket.send",
        |mut store: Store<'_>, (this, data): (This, StreamReader<u8>)| {
            let socket = store.data_mut().table_mut().get_mut(&this)?.take_send();
            Ok((send(store, data, socket)?,))
        },
    )?;
    interface.func_wrap(
        "[method]tcp-socket.receive",
        |mut store: Store<'_>, (this,): (This,)| {
            let socket = store.data_mut().table_mut().get_mut(&this)?.take_receive();
            Ok((receive(store, socket)?,))
        },
    )
}

fn add_names(interface: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    let address = |address: SocketAddr| IpSocketAddress::from(address);
    getter(interface, "get-local-address", move |socket| {
        socket.local_address().map(address)
    })?;
    getter(interface, "get-remote-address", move |socket| {
        socket.remote_address().map(address)
    })?;
    interface.func_wrap(
        "[method]tcp-socket.get-is-listening",
        |store: Store<'_>, (this,): (This,)| Ok((store.data().table().get(&this)?.is_listening(),)),
    )?;
    interface.func_wrap(
        "[method]tcp-socket.get-address-family",
        |store: Store<'_>, (this,): (This,)| Ok((store.data().table().get(&this)?.family(),)),
    )
}

fn add_options(interface: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    setter(interface, "set-listen-backlog-size", Tcp::set_backlog)?;
    getter(interface, "get-keep-alive-enabled", Tcp::keep_alive_enabled)?;
    setter(interface, "set-keep-alive-enabled", |socket, enabled| {
        socket.set_keep_alive_enabled(enabled)
    })?;
    getter(
        interface,
        "get-keep-alive-idle-time",
        Tcp::keep_alive_idle_time,
    )?;
    setter(interface, "set-keep-alive-idle-time", |socket, time| {
        socket.set_keep_alive_idle_time(time)
    })?;
    getter(
        interface,
        "get-keep-alive-interval",
        Tcp::keep_alive_interval,
    )?;
    setter(interface, "set-keep-alive-interval", |socket, time| {
        socket.set_keep_alive_interval(time)
    })?;
    getter(interface, "get-keep-alive-count", Tcp::keep_alive_count)?;
    setter(interface, "set-keep-alive-count", |socket, count| {
        socket.set_keep_alive_count(count)
    })?;
    getter(interface, "get-hop-limit", Tcp::hop_limit)?;
    setter(interface, "set-hop-limit", |socket, limit| {
        socket.set_hop_limit(limit)
    })?;
    getter(
        interface,
        "get-receive-buffer-size",
        Tcp::receive_buffer_size,
    )?;
    setter(interface, "set-receive-buffer-size", |socket, size| {
        socket.set_receive_buffer_size(size)
    })?;
    getter(interface, "get-send-buffer-size", Tcp::send_buffer_size)?;
    setter(interface, "set-send-buffer-size", |socket, size| {
        socket.set_send_buffer_size(size)
    })
}

/// Adds a method without arguments that only reads from the socket.
fn getter<T>(
    interface: &mut LinkerInstance<'_, State>,
    name: &str,
    get: impl Fn(&Tcp) -> Outcome<T> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    T: wasmtime::component::Lower + wasmtime::component::ComponentType + Send + 'static,
{
    let name = format!("[method]tcp-socket.{name}");
    interface.func_wrap(&name, move |store: Store<'_>, (this,): (This,)| {
        Ok((get(store.data().table().get(&this)?),))
    })
}

/// Adds a method with one argument that changes the socket.
fn setter<T>(
    interface: &mut LinkerInstance<'_, State>,
    name: &str,
    set: impl Fn(&mut Tcp, T) -> Outcome<()> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    T: wasmtime::component::Lift + wasmtime::component::ComponentType + Send + 'static,
{
    let name = format!("[method]tcp-socket.{name}");
    interface.func_wrap(
        &name,
        move |mut store: Store<'_>, (this, value): (This, T)| {
            Ok((set(store.data_mut().table_mut().get_mut(&this)?, value),))
        },
    )
}
