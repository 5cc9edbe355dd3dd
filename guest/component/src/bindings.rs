//! Generated code for the world of the features: `component`, or with TLS, Unix sockets, or both.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

/// The platform's types are its own.
macro_rules! generate {
    ($world:literal, with: { $($with:tt)* } $($options:tt)*) => {
        asyncio_streams_bindgen::generate!({
            path: "../../wit",
            world: $world,
            with: {
                $($with)*
                "wasi:clocks/types@0.3.0": asyncio_streams_wasi03::bindings::wasi::clocks::types,
                "wasi:clocks/monotonic-clock@0.3.0": asyncio_streams_wasi03::bindings::wasi::clocks::monotonic_clock,
                "wasi:sockets/types@0.3.0": asyncio_streams_wasi03::bindings::wasi::sockets::types,
                "wasi:sockets/ip-name-lookup@0.3.0": asyncio_streams_wasi03::bindings::wasi::sockets::ip_name_lookup,
            },
            latin1: "latin1",
            runtime_path: "asyncio_streams_wasi03::nonblocking_rt",
            $($options)*
        });
    };
}

/// Calls that refuse at once need no task, which would take some KB.
#[cfg(not(feature = "unix"))]
macro_rules! without_unix {
    ($world:literal) => {
        generate!($world, with: {} sync: [
            "export:asyncio:streams/unix@0.1.0#open-unix-connection",
            "export:asyncio:streams/unix@0.1.0#start-unix-server",
        ],);
    };
}

#[cfg(feature = "unix")]
macro_rules! with_unix {
    ($world:literal) => {
        generate!($world, with: {
            "asyncio:streams/unix-host@0.1.0": asyncio_streams_wasi03::bindings::asyncio::streams::unix_host,
        });
    };
}

#[cfg(not(any(feature = "tls", feature = "unix")))]
without_unix!("component");

#[cfg(all(feature = "tls", not(feature = "unix")))]
without_unix!("component-tls");

#[cfg(all(feature = "unix", not(feature = "tls")))]
with_unix!("component-unix");

#[cfg(all(feature = "tls", feature = "unix"))]
with_unix!("component-unix-tls");
