//! What wasmtime generates from the WIT.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated; what is public is documented where it is wrapped"
)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "component",
    exports: { default: async | store },
    with: { "wasi": wasmtime_wasi::p3::bindings },
    require_store_data_send: true,
    additional_derives: [PartialEq, Eq],
});
