//! The defaults. Sizes are in bytes, times in nanoseconds.

/// The longest line, and half of the bytes that are buffered before reading pauses. asyncio: `limit`, 64 KiB.
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// The largest result of one read. asyncio has no counterpart: only memory bounds its `read(-1)` and `readexactly`.
/// Here a failed allocation would end the whole store.
pub const DEFAULT_MAX_RESULT: usize = 64 * 1024 * 1024;

/// The most bytes that one writer queues. asyncio has no counterpart: a writer that never drains grows without end.
pub const DEFAULT_MAX_QUEUED: usize = 64 * 1024 * 1024;

/// `drain` waits once more than this is queued. asyncio: `set_write_buffer_limits`, 64 KiB.
pub const DEFAULT_HIGH: usize = 64 * 1024;

/// `drain` stops waiting once no more than this is queued. asyncio: a quarter of the high mark.
pub const DEFAULT_LOW: usize = DEFAULT_HIGH / 4;

/// Up to this size, small writes are sent as one piece. WASI 0.3 has no `TCP_NODELAY`: with Nagle's algorithm (RFC
/// 896), two small segments before an answer cost a delayed acknowledgement, about 40 ms.
pub const COALESCE: usize = 1024 * 1024;

/// How long a connection attempt runs before the next one starts: 250 ms, as RFC 8305, section 5, recommends. (asyncio:
/// off.)
pub const HAPPY_EYEBALLS_DELAY: u64 = 250_000_000;

/// How long `close` tries to send the queued bytes: 30 s. asyncio has no bound for TCP, and 30 s for closing TLS.
pub const CLOSE_DEADLINE: u64 = 30_000_000_000;

/// The number of connections that the operating system queues for a server that has not accepted them yet. asyncio: `backlog`.
pub const BACKLOG: u32 = 100;

/// The first pause after a failed accept: 10 ms.
pub const ACCEPT_BACKOFF_FIRST: u64 = 10_000_000;

/// The longest pause after failed accepts: 1 s. asyncio always pauses this long (`ACCEPT_RETRY_DELAY`).
pub const ACCEPT_BACKOFF_LONGEST: u64 = 1_000_000_000;

/// The most handles that one connection opened by this side takes. All components of a store share one bounded table of
/// handles.
pub const HANDLES_OPENED: u32 = 18;

/// The most handles that one accepted connection takes: those of an opened one, plus those of the server and of the
/// handler's task. Measured: 17 under `serve.wasm` while the handler waits in a read, and 6 more while it also waits
/// for another call.
pub const HANDLES_ACCEPTED: u32 = 24;
