//! Reading: every read, the limits, the end.

asyncio_streams_tests::programs! {
    read,
}
