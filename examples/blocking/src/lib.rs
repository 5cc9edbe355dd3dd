//! The bindings that both examples generate for themselves, and their printing.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

/// `asyncio:streams/blocking`, and the types that it uses.
pub mod streams {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "client-p2",
        generate_all,
    });
    pub use asyncio::streams::blocking::*;
    pub use asyncio::streams::types::{Address, InetAddress};
}

/// WASI 0.2.
pub mod wasi02 {
    wit_bindgen::generate!({
        path: "../../wit/wasi-0.2",
        world: "command",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "asyncio_streams_blocking_examples::wasi02",
    });
}

/// Prints a line to standard output. The bytes after 4,000 are left out.
pub fn print(line: &str) {
    let line = format!("{line}\n");
    let bytes = line.as_bytes();
    let bytes = bytes.get(..4_000).unwrap_or(bytes);
    // Nothing can be said about a standard output that is closed.
    let _ = wasi02::wasi::cli::stdout::get_stdout().blocking_write_and_flush(bytes);
}

/// Returns the host and the port of an argument such as `127.0.0.1:8888` or `[::1]:8888`.
pub fn host_and_port(argument: Option<&String>) -> Option<(String, u16)> {
    let (host, port) = argument?.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}
