//! Binding of TCP sockets of WASI 0.2, and the ports that the system chooses for port 0.
//!
//! WASI asks the policy before a bind, and the system chooses the port during the bind. The replacement of the
//! function binds in the same way and records the result. The sockets of WASI 0.3 are the host's own.

use std::net::SocketAddr;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2;
use wasmtime_wasi::p2::bindings::sockets::{network, tcp};
use wasmtime_wasi::sockets::WasiSocketsView as _;

use crate::state::State;

/// Replaces the function in a linker that has all of WASI and allows shadowing.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("wasi:sockets/tcp@0.2.12")?;
    interface.func_wrap_async("[method]tcp-socket.start-bind", |store, params| {
        Box::new(async move { Ok((start_bind(store, params).await?,)) })
    })
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
    // wasmtime binds at once, in `start-bind`; `finish-bind` only returns the result.
    if let Ok(given) = state.sockets().local_address(same) {
        state.policy().bound(asked, given.into());
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With another version of WASI in wasmtime, these functions would replace nothing.
    #[test]
    fn the_replaced_function_exists() -> wasmtime::Result<()> {
        let mut linker = Linker::<State>::new(&wasmtime::Engine::default());
        p2::add_to_linker_async(&mut linker)?;
        let error = add_to_linker(&mut linker)
            .expect_err("a function of that name")
            .to_string();
        assert!(
            error.contains("start-bind") && error.contains("defined twice"),
            "{error}"
        );
        Ok(())
    }
}
