//! Generated code for the world `component`, or `component-tls`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

/// The platform's types are its own.
macro_rules! generate {
    ($world:literal) => {
        wit_bindgen::generate!({
            path: "../../wit",
            world: $world,
            generate_all,
            with: {
                "wasi:clocks/types@0.3.0": asyncio_streams_wasi03::bindings::wasi::clocks::types,
                "wasi:clocks/monotonic-clock@0.3.0": asyncio_streams_wasi03::bindings::wasi::clocks::monotonic_clock,
                "wasi:sockets/types@0.3.0": asyncio_streams_wasi03::bindings::wasi::sockets::types,
                "wasi:sockets/ip-name-lookup@0.3.0": asyncio_streams_wasi03::bindings::wasi::sockets::ip_name_lookup,
            },
            runtime_path: "asyncio_streams_wasi03::nonblocking_rt",
        });
    };
}

#[cfg(not(feature = "tls"))]
generate!("component");

#[cfg(feature = "tls")]
generate!("component-tls");
