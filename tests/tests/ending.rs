//! The end of the stream, at any moment.

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [end_while_cancelling],
}
