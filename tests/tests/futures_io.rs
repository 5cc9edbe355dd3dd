//! Connections through futures-io's traits.

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [contract_futures_io, futures_io, futures_io_crates],
}
