//! Reading: every read, the limits, the end.

asyncio_streams_tests::programs! {
    embedded: [
        buffer,
        closed_reader,
        invalid_options,
        limit_overrun,
        lines,
        read_to_end,
        readexactly,
        readlines,
        too_large,
        wait_then_try,
    ],
    under_wasmtime_too: [read, readline, readuntil],
}
