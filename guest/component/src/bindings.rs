//! Generated code for the world of the features, from the build script: `component`, or with TLS, Unix sockets, or both.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
