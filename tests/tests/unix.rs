//! Unix sockets on hosts that have none. The tests of the host crate have the others.

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [unix_absent],
}
