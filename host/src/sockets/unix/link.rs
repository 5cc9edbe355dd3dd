//! The functions of `unix-host`.

use std::sync::Arc;

use tokio::net::UnixStream;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
    StreamReader,
};
use wasmtime_wasi::p3::bindings::sockets::types::ErrorCode;

use super::connect::connect;
use super::failure::Failure;
use super::listener::Listener;
use crate::network::{Named, UnixUse};
use crate::sockets::socket::{Socket, Transport};
use crate::sockets::stream::{receive, send};
use crate::state::State;

const INTERFACE: &str = "asyncio:streams/unix-host@0.1.0";

type Store<'a> = StoreContextMut<'a, State>;

/// `unix-socket`.
pub(super) struct UnixSocket {
    socket: Arc<Socket>,
    ends: Ends,
    receiving: bool,
    sending: bool,
}

/// `ends`.
#[derive(Clone, ComponentType, Lower)]
#[component(record)]
struct Ends {
    local: Vec<u8>,
    remote: Vec<u8>,
    peer: Option<Credentials>,
}

/// `credentials`.
#[derive(Clone, ComponentType, Lower)]
#[component(record)]
struct Credentials {
    process: Option<u32>,
    user: u32,
    group: u32,
}

/// `bind-options`.
#[derive(ComponentType, Lift)]
#[component(record)]
struct BindOptions {
    mode: Option<u32>,
    cleanup: bool,
}

impl UnixSocket {
    pub(super) fn new(stream: UnixStream) -> Self {
        let peer = stream.peer_cred().ok().map(|peer| Credentials {
            process: peer.pid().and_then(|pid| pid.try_into().ok()),
            user: peer.uid(),
            group: peer.gid(),
        });
        Self {
            ends: Ends {
                local: name(stream.local_addr()),
                remote: name(stream.peer_addr()),
                peer,
            },
            socket: Arc::new(Socket::new(Transport::Unix(stream), None, None)),
            receiving: false,
            sending: false,
        }
    }
}

/// The path of an end, or its abstract name after a zero byte; empty if it has none.
fn name(address: std::io::Result<tokio::net::unix::SocketAddr>) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let Ok(address) = address.map(std::os::unix::net::SocketAddr::from) else {
        return Vec::new();
    };
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(&address) {
        return [&[0], name].concat();
    }
    let path = address.as_pathname();
    path.map_or_else(Vec::new, |path| path.as_os_str().as_bytes().to_vec())
}

/// Adds the interface to a linker.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    add_socket(&mut interface)?;
    add_listener(&mut interface)
}

fn add_socket(interface: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    type This = Resource<UnixSocket>;
    interface.resource(
        "unix-socket",
        ResourceType::host::<UnixSocket>(),
        |mut store, rep| {
            let table = store.data_mut().table_mut();
            table.delete(Resource::<UnixSocket>::new_own(rep))?;
            Ok(())
        },
    )?;
    interface.func_wrap_concurrent(
        "[static]unix-socket.connect",
        |store: &Accessor<State>, (path,): (Vec<u8>,)| {
            Box::pin(async move {
                let policy = store.with(|mut store| store.data_mut().policy());
                let connected: Result<This, Failure> = match connect(&policy, &path).await {
                    Ok(stream) => Ok(store.with(|mut store| {
                        let table = store.data_mut().table_mut();
                        table.push(UnixSocket::new(stream))
                    })?),
                    Err(failure) => Err(failure),
                };
                Ok((connected,))
            })
        },
    )?;
    interface.func_wrap(
        "[method]unix-socket.ends",
        |store: Store<'_>, (this,): (This,)| Ok((store.data().table().get(&this)?.ends.clone(),)),
    )?;
    interface.func_wrap(
        "[method]unix-socket.send",
        |mut store: Store<'_>, (this, data): (This, StreamReader<u8>)| {
            let this = store.data_mut().table_mut().get_mut(&this)?;
            let socket = once(&mut this.sending, &this.socket);
            Ok((send(store, data, socket)?,))
        },
    )?;
    interface.func_wrap(
        "[method]unix-socket.receive",
        |mut store: Store<'_>, (this,): (This,)| {
            let this = store.data_mut().table_mut().get_mut(&this)?;
            let socket = once(&mut this.receiving, &this.socket);
            Ok((receive(store, socket)?,))
        },
    )
}

/// Takes one direction of a socket; possible once.
fn once(taken: &mut bool, socket: &Arc<Socket>) -> Result<Arc<Socket>, ErrorCode> {
    match std::mem::replace(taken, true) {
        true => Err(ErrorCode::InvalidState),
        false => Ok(Arc::clone(socket)),
    }
}

fn add_listener(interface: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    type This = Resource<Listener>;
    interface.resource(
        "unix-listener",
        ResourceType::host::<Listener>(),
        |mut store, rep| {
            let table = store.data_mut().table_mut();
            table.delete(Resource::<Listener>::new_own(rep))?;
            Ok(())
        },
    )?;
    interface.func_wrap(
        "[static]unix-listener.bind",
        |mut store: Store<'_>, (path, options): (Vec<u8>, BindOptions)| {
            let policy = store.data().policy();
            let bound = Named::parse(&path)
                .and_then(|named| policy.check_unix(&named, UnixUse::Listen))
                .map_err(Failure::from)
                .and_then(|named| Listener::bind(&named, options.mode, options.cleanup));
            let bound: Result<This, Failure> = match bound {
                Ok(listener) => Ok(store.data_mut().table_mut().push(listener)?),
                Err(failure) => Err(failure),
            };
            Ok((bound,))
        },
    )?;
    interface.func_wrap(
        "[method]unix-listener.listen",
        |mut store: Store<'_>, (this, backlog): (This, u32)| {
            let listening = store.data_mut().table_mut().get_mut(&this)?.listen(backlog);
            let connections: Result<StreamReader<Resource<UnixSocket>>, Failure> = match listening {
                Ok(accept) => Ok(StreamReader::new(&mut store, accept)?),
                Err(failure) => Err(failure),
            };
            Ok((connections,))
        },
    )
}
