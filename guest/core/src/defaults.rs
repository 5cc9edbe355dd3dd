//! The numbers that hold when nobody chose others. Sizes are in bytes, times in nanoseconds.

/// How long a line may be, and half of what is buffered before reading pauses. asyncio: `limit`, 64 KiB.
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// The largest result of one read. No counterpart in asyncio, where `read(-1)` and `readexactly` are bounded by memory
/// alone; here a failed allocation would end the whole store.
pub const DEFAULT_MAX_RESULT: usize = 64 * 1024 * 1024;

/// The most that one writer queues. No counterpart in asyncio, where a writer that never drains grows for ever.
pub const DEFAULT_MAX_QUEUED: usize = 64 * 1024 * 1024;

/// Draining waits once more than this is queued. asyncio: `set_write_buffer_limits`, 64 KiB.
pub const DEFAULT_HIGH: usize = 64 * 1024;

/// Draining goes on once no more than this is queued. asyncio: a quarter of the high mark.
pub const DEFAULT_LOW: usize = DEFAULT_HIGH / 4;

/// Up to this size, what is written piece by piece leaves as one piece. WASI 0.3 offers no `TCP_NODELAY`, and with
/// Nagle's algorithm (RFC 896) two small segments before an answer cost a delayed acknowledgement, some 40 ms.
pub const COALESCE: usize = 1024 * 1024;

/// How long one connection attempt has the field to itself. RFC 8305, section 5: recommended 250 ms. (asyncio: off.)
pub const HAPPY_EYEBALLS_DELAY: u64 = 250_000_000;

/// How long `close` tries to deliver what is queued: 30 s. asyncio has no bound for TCP, and 30 s for closing TLS.
pub const CLOSE_DEADLINE: u64 = 30_000_000_000;

/// How many connections the operating system holds for a server that has not accepted them yet. asyncio: `backlog`.
pub const BACKLOG: u32 = 100;

/// The first pause after an accept that failed: 10 ms.
pub const ACCEPT_BACKOFF_FIRST: u64 = 10_000_000;

/// The longest pause after accepts that failed: 1 s, which is asyncio's only one (`ACCEPT_RETRY_DELAY`).
pub const ACCEPT_BACKOFF_LONGEST: u64 = 1_000_000_000;

/// The handles that one connection may take which this side opened. All components of a store share one table of them,
/// and hosts bound it.
pub const HANDLES_OPENED: u32 = 18;

/// The handles that one connection may take which a server gave out: like the above, and those of the server and of the
/// handler's task. Measured as 17 under `serve.wasm` while the handler waits in a read; 6 more while it waits for another
/// call as well.
pub const HANDLES_ACCEPTED: u32 = 24;
