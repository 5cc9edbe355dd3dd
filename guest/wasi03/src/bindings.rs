//! Generated code for the imports of the platform. Other bindings of a program share these types (`with`).

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package asyncio:streams-platform;

        world platform {
            import wasi:sockets/types@0.3.0;
            import wasi:sockets/ip-name-lookup@0.3.0;
            import wasi:clocks/monotonic-clock@0.3.0;
            import asyncio:streams/unix-host@0.1.0;
        }
    ",
    world: "asyncio:streams-platform/platform",
    generate_all,
    runtime_path: "crate::nonblocking_rt",
});
