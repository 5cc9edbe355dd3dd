//! What wit-bindgen makes of the world `component`, or of `component-tls`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

#[cfg(not(feature = "tls"))]
wit_bindgen::generate!({
    path: "../../wit",
    world: "component",
    generate_all,
    runtime_path: "asyncio_streams_task::nonblocking_rt",
});

#[cfg(feature = "tls")]
wit_bindgen::generate!({
    path: "../../wit",
    world: "component-tls",
    generate_all,
    runtime_path: "asyncio_streams_task::nonblocking_rt",
});
