//! The bindings that wit-bindgen generates from the interfaces: every call exactly as it is in WIT.
//!
//! The types of this crate are made of these, and lead here and back:
//! [`Reader::raw`](crate::Reader::raw), `From` in both directions.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

pub use imports::asyncio::streams::{numbers, streams, tls, types};

/// The interfaces that a program may import. The component imports only those that the program calls.
pub mod imports {
    wit_bindgen::generate!({
        inline: "
            package asyncio:rust;

            world imports {
                import asyncio:streams/streams@0.1.0;
                import asyncio:streams/tls@0.1.0;
                import asyncio:streams/numbers@0.1.0;
                import wasi:cli/stdout@0.3.0;
                import wasi:cli/stderr@0.3.0;
                import wasi:cli/stdin@0.3.0;
                import wasi:cli/environment@0.3.0;
                import wasi:clocks/monotonic-clock@0.3.0;
            }
        ",
        path: "wit",
        generate_all,
        additional_derives: [PartialEq, Eq],
        ownership: Borrowing { duplicate_if_necessary: false },
        runtime_path: "asyncio_streams_wasi03::rt",
    });
}

/// The export `wasi:cli/run`, for [`run!`](crate::run).
pub mod run {
    wit_bindgen::generate!({
        inline: "
            package asyncio:rust;

            world run {
                export wasi:cli/run@0.3.0;
            }
        ",
        path: "wit",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "__export_run",
        runtime_path: "asyncio_streams_wasi03::rt",
    });
}

/// The export `asyncio:streams/handler`, for [`serve!`](crate::serve).
pub mod handler {
    wit_bindgen::generate!({
        inline: "
            package asyncio:rust;

            world handler {
                export asyncio:streams/handler@0.1.0;
            }
        ",
        path: "wit",
        with: {
            "asyncio:streams/types@0.1.0": super::imports::asyncio::streams::types,
            "asyncio:streams/tls@0.1.0": super::imports::asyncio::streams::tls,
            "asyncio:streams/streams@0.1.0": super::imports::asyncio::streams::streams,
        },
        pub_export_macro: true,
        export_macro_name: "__export_handler",
        runtime_path: "asyncio_streams_wasi03::rt",
    });
}
