//! Calls by number, and one wait for many connections.

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [many_waits, numbers, waits_chaos, watch, watch_many, watch_reports],
}
