//! Generated code for the streams, and for the program itself.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    inline: "
        package asyncio:blocking-bench;
        world program {
            include asyncio:streams/client-p2@0.1.0;
            import asyncio:streams/bulk@0.1.0;
        }
    ",
    path: "../../wit",
    world: "asyncio:blocking-bench/program",
    generate_all,
});

/// WASI 0.2.
pub(crate) mod wasi02 {
    wit_bindgen::generate!({
        path: "../../wit/wasi-0.2",
        world: "command",
        generate_all,
        pub_export_macro: false,
    });
}
