//! The component's interface, as wasmtime generates it from the WIT. No other module is below this one.

pub(crate) use self::bindings::exports::asyncio::streams::streams::{Guest, Waits};
pub(crate) use self::bindings::exports::asyncio::streams::types::{
    Address, Error, Incomplete, InetAddress, NetworkError, OtherError, Overrun, TlsError,
    TlsFailure,
};
pub(crate) use self::bindings::{Component, ComponentPre};

pub use self::bindings::exports::asyncio::streams::streams::Wanted;
pub use self::bindings::exports::asyncio::streams::types::{
    AddressFamily, CertificateFailure, NetworkCode,
};

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        dead_code,
        reason = "generated; the wrappers of its public items are documented"
    )]

    wasmtime::component::bindgen!({
        path: "wit",
        world: "component",
        exports: { default: async | store },
        with: {
            "wasi:sockets/types": crate::sockets::types,
            "wasi": wasmtime_wasi::p3::bindings,
        },
        require_store_data_send: true,
        additional_derives: [PartialEq, Eq],
    });
}
