//! Generates the bindings for the world of the features. The packages with TLS and with Unix sockets use this script too.

use asyncio_streams_bindgen::Bindings;

fn main() -> anyhow::Result<()> {
    let has = |feature: &str| std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let (tls, unix) = (has("TLS"), has("UNIX"));
    let world = match (tls, unix) {
        (false, false) => "component",
        (true, false) => "component-tls",
        (false, true) => "component-unix",
        (true, true) => "component-unix-tls",
    };
    // The platform's types are its own.
    let of_platform = |interface: &str| format!("asyncio_streams_wasi03::bindings::{interface}");
    let mut bindings =
        Bindings::new("../../wit", world).runtime("asyncio_streams_wasi03::nonblocking_rt");
    for (interface, module) in [
        ("wasi:clocks/types@0.3.0", "wasi::clocks::types"),
        (
            "wasi:clocks/monotonic-clock@0.3.0",
            "wasi::clocks::monotonic_clock",
        ),
        ("wasi:sockets/types@0.3.0", "wasi::sockets::types"),
        (
            "wasi:sockets/ip-name-lookup@0.3.0",
            "wasi::sockets::ip_name_lookup",
        ),
    ] {
        bindings = bindings.with(interface, &of_platform(module));
    }
    if unix {
        let host = of_platform("asyncio::streams::unix_host");
        bindings = bindings.with("asyncio:streams/unix-host@0.1.0", &host);
    } else {
        // Calls that refuse at once need no task, which would take some KB.
        bindings = bindings
            .sync("asyncio:streams/unix@0.1.0#open-unix-connection")
            .sync("asyncio:streams/unix@0.1.0#start-unix-server");
    }
    bindings.write()
}
