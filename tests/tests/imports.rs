//! The complete imports and exports of the components.

use std::collections::BTreeSet;
use std::path::Path;

use asyncio_streams_tests::{component, tls};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldItem};

#[test]
fn the_streams_component_has_sockets_clocks_and_random_numbers_and_nothing_else() {
    let (imports, exports) = interfaces("streams");
    assert_eq!(
        imports,
        [
            "wasi:clocks/monotonic-clock@0.3.0",
            "wasi:clocks/types@0.3.0",
            "wasi:random/random@0.3.0",
            "wasi:sockets/ip-name-lookup@0.3.0",
            "wasi:sockets/types@0.3.0",
        ]
    );
    assert_eq!(
        exports,
        [
            "asyncio:streams/latin1@0.1.0",
            "asyncio:streams/numbers@0.1.0",
            "asyncio:streams/sockets@0.1.0",
            "asyncio:streams/streams@0.1.0",
            "asyncio:streams/tls@0.1.0",
            "asyncio:streams/types@0.1.0",
            "asyncio:streams/unix@0.1.0",
        ]
    );
}

/// Only the name tells programs the components apart.
#[test]
fn with_unix_sockets_it_imports_those_of_the_host_and_exports_the_same() {
    let with_tls = tls().then_some(("streams-tls", "streams-unix-tls"));
    for (plain, unix) in [("streams", "streams-unix")].into_iter().chain(with_tls) {
        let (mut imports, exports) = interfaces(plain);
        imports.insert(0, "asyncio:streams/unix-host@0.1.0".to_owned());
        assert_eq!(interfaces(unix), (imports, exports), "{unix}");
    }
}

#[test]
fn with_tls_it_has_the_date_too_and_exports_the_same() {
    if !tls() {
        return;
    }
    let (imports, exports) = interfaces("streams-tls");
    assert_eq!(
        imports,
        [
            "wasi:clocks/monotonic-clock@0.3.0",
            "wasi:clocks/system-clock@0.3.0",
            "wasi:clocks/types@0.3.0",
            "wasi:random/random@0.3.0",
            "wasi:sockets/ip-name-lookup@0.3.0",
            "wasi:sockets/types@0.3.0",
        ]
    );
    assert_eq!(exports, interfaces("streams").1);
}

#[test]
fn the_component_of_wasi_02_has_nothing_of_03() {
    let (imports, exports) = interfaces("streams-p2");
    assert_eq!(
        imports,
        [
            "wasi:clocks/monotonic-clock@0.2.0",
            "wasi:io/error@0.2.0",
            "wasi:io/poll@0.2.0",
            "wasi:io/streams@0.2.0",
            "wasi:random/random@0.2.0",
            "wasi:sockets/instance-network@0.2.0",
            "wasi:sockets/ip-name-lookup@0.2.0",
            "wasi:sockets/network@0.2.0",
            "wasi:sockets/tcp-create-socket@0.2.0",
            "wasi:sockets/tcp@0.2.0",
        ]
    );
    assert_eq!(
        exports,
        [
            "asyncio:streams/blocking@0.1.0",
            "asyncio:streams/bulk@0.1.0",
            "asyncio:streams/tls@0.1.0",
            "asyncio:streams/types@0.1.0",
        ]
    );
    if tls() {
        let (with_tls, exports_with_tls) = interfaces("streams-p2-tls");
        let more: Vec<_> = with_tls
            .iter()
            .filter(|name| !imports.contains(name))
            .collect();
        assert_eq!(more, ["wasi:clocks/wall-clock@0.2.0"]);
        assert_eq!(exports_with_tls, exports);
    }
}

#[test]
fn the_listening_command_has_its_arguments_its_streams_and_a_clock() {
    let (imports, exports) = interfaces("serve");
    assert_eq!(
        imports,
        [
            "asyncio:streams/handler@0.1.0",
            "asyncio:streams/streams@0.1.0",
            "asyncio:streams/tls@0.1.0",
            "asyncio:streams/types@0.1.0",
            "asyncio:streams/unix@0.1.0",
            "wasi:cli/environment@0.3.0",
            "wasi:cli/stderr@0.3.0",
            "wasi:cli/stdin@0.3.0",
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/types@0.3.0",
            "wasi:clocks/monotonic-clock@0.3.0",
        ]
    );
    assert_eq!(exports, ["wasi:cli/run@0.3.0"]);
}

/// A program imports only the functions that it calls, and not everything that the crate could.
#[test]
fn a_program_imports_what_it_uses() {
    let (imports, exports) = interfaces("tests/read");
    let known: Vec<_> = imports
        .iter()
        .filter(|name| name.starts_with("asyncio:"))
        .collect();
    assert_eq!(
        known,
        [
            "asyncio:streams/latin1@0.1.0",
            "asyncio:streams/numbers@0.1.0",
            "asyncio:streams/streams@0.1.0",
            "asyncio:streams/types@0.1.0",
        ]
    );
    for other in [
        "wasi:sockets",
        "wasi:filesystem",
        "wasi:random",
        "wasi:cli/stdin",
    ] {
        assert!(
            !imports.iter().any(|name| name.starts_with(other)),
            "{imports:?}"
        );
    }
    assert_eq!(exports, ["wasi:cli/run@0.3.0"]);
}

/// No component contains the folder of its build, so that builds in two folders are equal.
#[test]
fn no_component_contains_the_folder_of_its_build() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::to_str)
        .expect("the checkout's folder");
    let mut names = vec![
        "streams",
        "streams-unix",
        "streams-p2",
        "serve",
        "examples/echo-client",
    ];
    if tls() {
        names.extend(["streams-tls", "streams-unix-tls", "streams-p2-tls"]);
    }
    for name in names {
        let component = component(name);
        let text = String::from_utf8_lossy(&component);
        for folder in [root, "/.cargo/registry/"] {
            assert!(!text.contains(folder), "{name} names {folder}");
        }
    }
}

/// Returns the names of the interfaces that a component imports and exports, in order.
fn interfaces(name: &str) -> (Vec<String>, Vec<String>) {
    let bytes = component(name);
    let decoded = wit_component::decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let DecodedWasm::Component(resolve, world) = decoded else {
        panic!("{name} is no component");
    };
    let world = &resolve.worlds[world];
    let names = |items: Vec<&WorldItem>| -> Vec<String> {
        let names: BTreeSet<String> = items
            .into_iter()
            .map(|item| interface(&resolve, item))
            .collect();
        names.into_iter().collect()
    };
    (
        names(world.imports.values().collect()),
        names(world.exports.values().collect()),
    )
}

fn interface(resolve: &Resolve, item: &WorldItem) -> String {
    match item {
        WorldItem::Interface { id, .. } => resolve.id_of(*id).expect("a name"),
        other => panic!("not an interface: {other:?}"),
    }
}
