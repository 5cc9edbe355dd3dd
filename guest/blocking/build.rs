//! Generates the bindings for the world `component-p2`. The package with TLS uses this script too.

mod imports;

use asyncio_streams_bindgen::Bindings;

fn main() -> anyhow::Result<()> {
    imports::main();
    let mut bindings = Bindings::new("../../wit", "component-p2");
    // The platform's types are its own.
    for (interface, module) in [
        ("wasi:io/error@0.2.0", "error"),
        ("wasi:io/poll@0.2.0", "poll"),
        ("wasi:io/streams@0.2.0", "streams"),
    ] {
        let module = format!("asyncio_streams_wasi02::bindings::wasi::io::{module}");
        bindings = bindings.with(interface, &module);
    }
    bindings.write()
}
