//! Writing: the queue and its marks, ending one direction, closing, aborting.

asyncio_streams_tests::programs! {
    embedded: [
        abort,
        background,
        buffer_full,
        close_deadline,
        flush,
        marks,
        names,
        wait_closed,
        write_eof,
    ],
    under_wasmtime_too: [close, drain, write, write_stream],
}
