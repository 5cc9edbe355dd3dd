//! Giving up: every call that waits can be ended, by `cancel` or by dropping it; and what excludes each other says so.

asyncio_streams_tests::programs! {
    embedded: [
        busy_reader,
        busy_server,
        cancel_accepts,
        cancel_opening,
        cancel_writes,
    ],
    under_wasmtime_too: [begun_calls, cancel_random, cancel_reads, storm],
}
