//! Byte streams of other kinds: given away, taken over, wrapped; and sockets that a program made itself.

asyncio_streams_tests::programs! {
    embedded: [from_stream, sockets],
    under_wasmtime_too: [given_away, into_stream, wrap],
}
