//! Generated code for the world `component-p2`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

asyncio_streams_bindgen::generate!({
    path: "../../wit",
    world: "component-p2",
    with: {
        "wasi:io/error@0.2.0": asyncio_streams_wasi02::bindings::wasi::io::error,
        "wasi:io/poll@0.2.0": asyncio_streams_wasi02::bindings::wasi::io::poll,
        "wasi:io/streams@0.2.0": asyncio_streams_wasi02::bindings::wasi::io::streams,
    },
});
