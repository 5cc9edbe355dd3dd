//! The data of a store, besides the program.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::limits::{Limits, MemoryLimiter};
use crate::network::{Lookup, Network, PendingNames, Policy};
use crate::signals::Signals;
use crate::sockets::Given;

/// The capacity of wasmtime's tables of host resources and of concurrent work; wasmtime's default.
const MIN_TABLE_CAPACITY: usize = 1_000_000;

/// The data of a store that runs one program.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    lookup: WasiSocketsCtx,
    pending_names: PendingNames,
    policy: Arc<Policy>,
    memory: MemoryLimiter,
    signals: Signals,
    given: Vec<Given>,
    /// The host listens for the program.
    is_served: bool,
}

impl State {
    pub(crate) fn table(&self) -> &ResourceTable {
        &self.table
    }

    pub(crate) fn table_mut(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Passes a listener of the host to the program.
    pub(crate) fn give(&mut self, given: Given) {
        self.is_served = true;
        self.given.push(given);
    }

    /// Returns whether TCP sockets may be made. Each use is checked separately.
    pub(crate) fn allows_tcp(&self) -> bool {
        self.is_served || self.policy.allows_tcp()
    }

    /// Takes the host's listener for this address, once. A program that binds every address gets the one with its
    /// port.
    pub(crate) fn take_given(&mut self, address: SocketAddr) -> Option<Given> {
        let is_wanted = |given: &Given| {
            given.address == address
                || (address.ip().is_unspecified()
                    && address.port() == given.address.port()
                    && address.is_ipv4() == given.address.is_ipv4())
        };
        let position = self.given.iter().position(is_wanted)?;
        Some(self.given.swap_remove(position))
    }

    /// Makes a store for one program. It grants `network` and everything that `wasi` already contains, and nothing
    /// else.
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
            pending_names: PendingNames::new(),
            policy,
            memory,
            signals: Signals::new(),
            given: Vec::new(),
            is_served: false,
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        // Without a deadline an interruptible engine would trap at once. The watch of a program sets its own
        // deadline.
        store.set_epoch_deadline(u64::MAX >> 1);
        store.set_max_component_handles(limits.max_handles);
        if let Some(table) = store.concurrent_resource_table() {
            table.set_max_capacity(capacity);
        }
        store
    }

    pub(crate) fn memory(&self) -> &MemoryLimiter {
        &self.memory
    }

    /// Counts the memory of the store in `total` as well.
    pub(crate) fn count_memory(&mut self, total: Arc<AtomicUsize>) {
        self.memory.count_in(total);
    }

    /// Lets the program handle the signals that `signals` sends.
    pub(crate) fn set_signals(&mut self, signals: Signals) {
        self.signals = signals;
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    pub(crate) fn pending_names(&mut self) -> &mut PendingNames {
        &mut self.pending_names
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
