//! What a store holds besides the program.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::limits::{Limits, MemoryLimiter};
use crate::network::{Lookup, Network, Policy};

/// Past this, wasmtime's tables of host resources and of concurrent work are full; its own default.
const MIN_TABLE_CAPACITY: usize = 1_000_000;

/// The data of a store that runs one program.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    lookup: WasiSocketsCtx,
    policy: Arc<Policy>,
    memory: MemoryLimiter,
}

impl State {
    /// A store for one program, with nothing granted but `network` and what is set in `wasi` already.
    pub(crate) fn store(
        engine: &wasmtime::Engine,
        mut wasi: WasiCtxBuilder,
        network: Network,
        limits: &Limits,
    ) -> Store<Self> {
        let policy = Policy::new(network);
        policy.apply(&mut wasi);
        let capacity = limits.max_handles.max(MIN_TABLE_CAPACITY);
        let mut table = ResourceTable::new();
        table.set_max_capacity(capacity);
        let memory = MemoryLimiter::new(limits);
        let state = Self {
            wasi: wasi.build(),
            table,
            lookup: Lookup::sockets(),
            policy,
            memory,
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_max_component_handles(limits.max_handles);
        if let Some(table) = store.concurrent_resource_table() {
            table.set_max_capacity(capacity);
        }
        store
    }

    pub(crate) fn memory(&self) -> &MemoryLimiter {
        &self.memory
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    pub(crate) fn lookup_sockets(&mut self) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView {
            ctx: &mut self.lookup,
            table: &mut self.table,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}
