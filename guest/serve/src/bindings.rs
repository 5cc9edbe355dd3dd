//! The code that wit-bindgen generates for the world `serve`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "serve",
    generate_all,
    runtime_path: "asyncio_streams_wasi03::rt",
});
