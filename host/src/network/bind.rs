//! Binding of TCP sockets, watched: which ports the system gives for port 0.
//!
//! WASI asks the policy before a bind, and the system chooses the port in it. So the one function of each version of
//! WASI that binds is replaced by one that does the same and looks at the result.

use std::net::SocketAddr;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2;
use wasmtime_wasi::p2::bindings::sockets::{network, tcp};
use wasmtime_wasi::p3::bindings::sockets::types;
use wasmtime_wasi::sockets::{TcpSocket, WasiSocketsView as _};

use crate::state::State;

/// Replaces the functions in a linker that has all of WASI and allows shadowing.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_to_p2(linker)?;
    add_to_p3(linker)
}

fn add_to_p3(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("wasi:sockets/types@0.3.0")?;
    interface.func_wrap_async("[method]tcp-socket.bind", |store, params| {
        Box::new(async move { Ok((bind(store, params).await?,)) })
    })
}

fn add_to_p2(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("wasi:sockets/tcp@0.2.12")?;
    interface.func_wrap_async("[method]tcp-socket.start-bind", |store, params| {
        Box::new(async move { Ok((start_bind(store, params).await?,)) })
    })
}

type Bind = (Resource<TcpSocket>, types::IpSocketAddress);

async fn bind(
    mut store: StoreContextMut<'_, State>,
    (socket, address): Bind,
) -> wasmtime::Result<Result<(), types::ErrorCode>> {
    use types::HostTcpSocket;

    let state = store.data_mut();
    let same = Resource::new_borrow(socket.rep());
    let asked = SocketAddr::from(address);
    if let Err(error) = state.sockets().bind(socket, address).await {
        return error.downcast().map(Err);
    }
    if let Ok(given) = state.sockets().get_local_address(same) {
        state.policy().bound(asked, given.into());
    }
    Ok(Ok(()))
}

type StartBind = (
    Resource<p2::TcpSocket>,
    Resource<network::Network>,
    network::IpSocketAddress,
);

async fn start_bind(
    mut store: StoreContextMut<'_, State>,
    (socket, network, address): StartBind,
) -> wasmtime::Result<Result<(), network::ErrorCode>> {
    use tcp::HostTcpSocket;

    let state = store.data_mut();
    let same = Resource::new_borrow(socket.rep());
    let asked = SocketAddr::from(address);
    if let Err(error) = state.sockets().start_bind(socket, network, address).await {
        return error.downcast().map(Err);
    }
    // The host binds at once, whatever the name says.
    if let Ok(given) = state.sockets().local_address(same) {
        state.policy().bound(asked, given.into());
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another version of WASI in wasmtime would leave its own functions beside these.
    #[test]
    fn what_is_replaced_is_there() -> wasmtime::Result<()> {
        let mut linker = Linker::<State>::new(&wasmtime::Engine::default());
        p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        for (add, name) in [
            (
                add_to_p2 as fn(&mut _) -> _,
                "[method]tcp-socket.start-bind",
            ),
            (add_to_p3, "[method]tcp-socket.bind"),
        ] {
            let error = add(&mut linker)
                .expect_err("a function of that name")
                .to_string();
            assert!(
                error.contains(name) && error.contains("defined twice"),
                "{error}"
            );
        }
        Ok(())
    }
}
