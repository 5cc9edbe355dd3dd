//! Cancelling: `cancel` or dropping ends every pending call; and calls that exclude each other fail with `busy`.

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
