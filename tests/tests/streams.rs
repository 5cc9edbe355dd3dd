//! Other byte streams: given away, taken over, wrapped; and a program's own sockets.

asyncio_streams_tests::programs! {
    embedded: [from_stream, sockets],
    under_wasmtime_too: [given_away, into_stream, wrap],
}
