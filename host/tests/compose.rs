//! Tests of composition. The components are made of WIT text: their types are real, their code is never run.

use std::path::Path;

use asyncio_streams_host::compose::{ComposeError, Composition, Missing, Part, compose};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// A component of `world`, from the project's own WIT.
fn ours(name: &str, world: &str) -> Part {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(wit).expect("the project's WIT");
    component(name, resolve, package, world)
}

/// A component of the world `w` of the package `a:b`.
fn made(name: &str, wit: &str) -> Part {
    let mut resolve = Resolve::default();
    let wit = format!("package a:b;\n{wit}");
    let package = resolve
        .push_str("test.wit", &wit)
        .unwrap_or_else(|error| panic!("{error:?}\n{wit}"));
    component(name, resolve, package, "w")
}

fn component(name: &str, resolve: Resolve, package: wit_parser::PackageId, world: &str) -> Part {
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("the world");
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let mut module = dummy_module(&resolve, world, abi);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.validate(true).module(&module).expect("a module");
    Part::new(name, encoder.encode().expect("a component"))
}

/// Returns `(imports, exports)` of a composed component, and validates it.
fn outside(composed: &Composition) -> (Vec<String>, Vec<String>) {
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(composed.bytes())
        .expect("a valid component");
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in wasmparser::Parser::new(0).parse_all(composed.bytes()) {
        use wasmparser::Payload::*;
        match payload.expect("a payload") {
            ModuleSection { .. } | ComponentSection { .. } => depth += 1,
            End(_) => depth -= 1,
            ComponentImportSection(section) if depth == 0 => {
                imports.extend(
                    section
                        .into_iter()
                        .map(|import| import.expect("an import").name.name.to_owned()),
                );
            }
            ComponentExportSection(section) if depth == 0 => {
                exports.extend(
                    section
                        .into_iter()
                        .map(|export| export.expect("an export").name.name.to_owned()),
                );
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[track_caller]
fn refused(parts: impl IntoIterator<Item = Part>, message: &str) -> ComposeError {
    let error = compose(parts).expect_err("these parts do not fit");
    assert_eq!(error.to_string(), message);
    error
}

fn server() -> [Part; 3] {
    [
        ours("serve.wasm", "serve"),
        ours("handler.wasm", "server"),
        ours("streams.wasm", "component"),
    ]
}

#[test]
fn a_server_is_composed_in_whatever_order_its_parts_come() {
    for [a, b, c] in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let parts = server();
        let composed = compose([a, b, c].map(|part| parts[part].clone())).expect("composed");
        let (imports, exports) = outside(&composed);
        assert_eq!(composed.program(), "serve.wasm");
        assert_eq!(exports, ["wasi:cli/run@0.3.0"]);
        assert!(
            imports.iter().all(|import| import.starts_with("wasi:")),
            "{imports:?}"
        );
        let count = |user: &str, interface: &str, provider: &str| {
            let plugs = composed.plugs().iter();
            let plugs = plugs.filter(|plug| plug.user == user && plug.provider == provider);
            plugs
                .filter(|plug| plug.interface == format!("asyncio:streams/{interface}@0.1.0"))
                .count()
        };
        assert_eq!(count("serve.wasm", "handler", "handler.wasm"), 1);
        assert_eq!(count("serve.wasm", "streams", "streams.wasm"), 1);
        assert_eq!(count("handler.wasm", "streams", "streams.wasm"), 1);
    }
}

#[test]
fn composing_in_steps_equals_composing_at_once() {
    // `compose` itself refuses half a program, but `wac plug` makes one.
    let [serve, handler, streams] = server();
    let mut graph = wac_graph::CompositionGraph::new();
    let [socket, plug] = [&serve, &handler].map(|part| {
        let package = wac_graph::types::Package::from_bytes(
            part.name(),
            None,
            part.bytes(),
            graph.types_mut(),
        );
        graph
            .register_package(package.expect("a component"))
            .expect("registered")
    });
    wac_graph::plug(&mut graph, vec![plug], socket).expect("plugged");
    let half = graph
        .encode(wac_graph::EncodeOptions::default())
        .expect("encoded");
    let in_steps = compose([streams.clone(), Part::new("half.wasm", half)]).expect("composed");
    let at_once = compose([streams, serve, handler]).expect("composed");
    let sorted = |(mut imports, exports): (Vec<_>, Vec<_>)| {
        imports.sort();
        (imports, exports)
    };
    assert_eq!(sorted(outside(&in_steps)), sorted(outside(&at_once)));
}

#[test]
fn a_complete_part_is_returned_unchanged() {
    let streams = ours("streams.wasm", "component");
    let bytes = streams.bytes().to_vec();
    assert_eq!(compose([streams]).expect("complete").into_bytes(), bytes);
}

#[test]
fn compatible_versions_fit_and_others_do_not() {
    let needs = |version: &str| {
        made(
            "app",
            &format!(
                "world w {{ import x:y/i@{version}; }} package x:y@{version} {{ interface i {{ f: func(); }} }}"
            ),
        )
    };
    let gives = |version: &str| {
        made(
            "lib",
            &format!(
                "world w {{ export x:y/i@{version}; }} package x:y@{version} {{ interface i {{ f: func(); }} }}"
            ),
        )
    };
    for (wanted, given) in [
        ("0.1.0", "0.1.0"),
        ("0.1.0", "0.1.3"),
        ("0.1.3", "0.1.0"),
        ("1.2.0", "1.9.1"),
    ] {
        compose([needs(wanted), gives(given)])
            .unwrap_or_else(|error| panic!("{wanted} from {given}: {error}"));
    }
    for (wanted, given) in [("0.1.0", "0.2.0"), ("1.0.0", "2.0.0"), ("0.0.1", "0.0.2")] {
        let error = refused(
            [needs(wanted), gives(given)],
            &format!(
                "app imports x:y/i@{wanted}, but lib exports x:y/i@{given}: one of them is of another version, rebuild it"
            ),
        );
        assert!(matches!(error, ComposeError::VersionMismatch { .. }));
    }
}

#[test]
fn a_provider_without_a_used_function_is_named() {
    let app = made(
        "app",
        "interface i { f: func(); g: func(); } world w { import i; }",
    );
    let lib = made("lib", "interface i { f: func(); } world w { export i; }");
    let error = refused(
        [app, lib],
        "lib exports a:b/i, but not as app imports it: instance is missing expected function export `g`",
    );
    assert!(matches!(error, ComposeError::TypeMismatch { .. }));

    let app = made(
        "app",
        "interface i { f: func() -> u32; } world w { import i; }",
    );
    let lib = made(
        "lib",
        "interface i { f: func() -> string; } world w { export i; }",
    );
    let error = compose([app, lib]).expect_err("other types");
    assert!(
        matches!(error, ComposeError::TypeMismatch { .. }),
        "{error}"
    );
}

#[test]
fn a_missing_import_is_named_with_its_provider() {
    let [serve, handler, streams] = server();
    refused(
        [serve.clone(), streams.clone()],
        "serve.wasm imports asyncio:streams/handler@0.1.0, which no part exports: add your handler, a component that \
         exports `client-connected`",
    );
    let error = refused(
        [serve, handler],
        "serve.wasm imports asyncio:streams/types@0.1.0, asyncio:streams/tls@0.1.0, asyncio:streams/streams@0.1.0 and \
         asyncio:streams/unix@0.1.0, which no part exports: add the streams component (streams.wasm); handler.wasm imports \
         asyncio:streams/types@0.1.0, asyncio:streams/tls@0.1.0 and asyncio:streams/streams@0.1.0, which no part \
         exports: add the streams component (streams.wasm)",
    );
    let ComposeError::Missing { missing } = error else {
        panic!("{error}")
    };
    assert_eq!(missing.len(), 2);

    let app = made("app", "interface i { f: func(); } world w { import i; }");
    let error = refused(
        [app],
        "app imports a:b/i, which no part exports: add a component that exports it",
    );
    let ComposeError::Missing { missing } = error else {
        panic!("{error}")
    };
    let interfaces = vec!["a:b/i".to_owned()];
    assert_eq!(
        missing,
        [Missing {
            part: "app".to_owned(),
            interfaces,
            provider: "a component that exports it"
        }]
    );
}

#[test]
fn two_providers_of_one_import_are_refused() {
    let [serve, handler, streams] = server();
    let second = Part::new("second.wasm", renamed(handler.bytes()));
    let error = refused(
        [serve, handler, streams, second],
        "handler.wasm and second.wasm each export asyncio:streams/handler@0.1.0, which serve.wasm imports: leave out \
         all but one, or compose in steps",
    );
    assert!(matches!(error, ComposeError::SeveralProviders { .. }));
}

/// The same component with one more custom section: a different file with the same content.
fn renamed(component: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    bytes.extend([0, 3, 1, b'x', b'y']);
    bytes
}

#[test]
fn the_same_part_twice_is_refused() {
    let [serve, handler, streams] = server();
    let again = Part::new("copy/streams.wasm", streams.bytes());
    let error = refused(
        [serve, handler, streams, again],
        "copy/streams.wasm is given twice: each part is needed once, however many others use it",
    );
    assert!(matches!(error, ComposeError::GivenTwice { .. }));
}

#[test]
fn a_part_that_the_program_does_not_use_is_refused() {
    let client = made(
        "client.wasm",
        "interface streams { f: func(); } world w { import streams; export wasi:cli/run@0.3.0; }
         package wasi:cli@0.3.0 { interface run { run: async func() -> result; } }",
    );
    let lib = made(
        "lib.wasm",
        "interface streams { f: func(); } world w { export streams; }",
    );
    let extra = made(
        "extra.wasm",
        "interface extra { f: func(); } world w { export extra; }",
    );
    let silent = made(
        "silent.wasm",
        "interface extra { f: func(); } world w { import extra; }",
    );
    refused(
        [client.clone(), lib.clone(), extra.clone()],
        "client.wasm does not use extra.wasm, directly or through another part: leave it out, or add the part that \
         imports a:b/extra",
    );
    let error = refused(
        [silent, client.clone(), lib.clone(), extra],
        "client.wasm does not use silent.wasm, directly or through another part: leave it out, it exports nothing",
    );
    assert!(matches!(error, ComposeError::Unused { .. }));

    let second = Part::new("second.wasm", renamed(client.bytes()));
    let error = refused(
        [client, second, lib],
        "client.wasm and second.wasm do not use each other: one part must use all others, directly or through another \
         part",
    );
    assert!(matches!(error, ComposeError::SeveralPrograms { .. }));
}

#[test]
fn a_circle_is_shown() {
    let interfaces =
        "interface one { f: func(); } interface two { f: func(); } interface three { f: func(); }";
    let part = |name: &str, import: &str, export: &str| {
        made(
            name,
            &format!("{interfaces} world w {{ import {import}; export {export}; }}"),
        )
    };
    let app = made("app", &format!("{interfaces} world w {{ import one; }}"));
    let error = refused(
        [
            app,
            part("x", "two", "one"),
            part("y", "three", "two"),
            part("z", "two", "three"),
        ],
        "the parts use each other in a circle: y uses z uses y",
    );
    assert!(matches!(error, ComposeError::Cycle { .. }));
}

#[test]
fn a_file_that_is_not_a_component_is_described() {
    for (bytes, found) in [
        (&b""[..], "the file is empty"),
        (
            &b"(component)"[..],
            "it is WebAssembly text; translate it with `wasm-tools parse`",
        ),
        (&b"\x7fELF\x02\x01\x01\x00\x00"[..], "it is not WebAssembly"),
        (&b"\0asm"[..], "it is not WebAssembly"),
        (
            &b"\0asm\x01\0\0\0"[..],
            "it is a core module; link it with wasm-component-ld, or wrap it with `wasm-tools component new`",
        ),
    ] {
        let error = refused(
            [Part::new("x.wasm", bytes)],
            &format!("x.wasm is not a component: {found}"),
        );
        assert!(matches!(error, ComposeError::NotAComponent { .. }));
    }
    let error = Part::read("no/such.wasm").expect_err("no such file");
    assert!(
        error.to_string().starts_with("cannot read no/such.wasm: "),
        "{error}"
    );
    refused([], "there is nothing to compose: no part was given");
}

#[test]
fn a_damaged_component_is_an_error_wherever_it_is_cut_or_changed() {
    let whole = made(
        "whole.wasm",
        "interface i { resource r { m: func() -> list<string>; } f: func(x: borrow<r>); } world w { import i; }",
    );
    let mut damaged = 0;
    for end in 8..whole.bytes().len() {
        match compose([Part::new("cut.wasm", &whole.bytes()[..end])]) {
            Err(ComposeError::Damaged { .. }) => damaged += 1,
            // A cut between two sections leaves a smaller component, whose missing imports are among those of the
            // whole one.
            Err(ComposeError::Missing { .. }) => {}
            Err(other) => panic!("{end}: {other}"),
            Ok(smaller) => drop(outside(&smaller)),
        }
    }
    assert!(damaged > whole.bytes().len() / 2);
    for at in 8..whole.bytes().len() {
        let mut bytes = whole.bytes().to_vec();
        bytes[at] ^= 0x55;
        // The changed component may be valid or not, but it must not cause a panic.
        drop(compose([Part::new("changed.wasm", bytes)]));
    }
}

#[test]
fn parts_of_one_name_are_told_apart() {
    let app = made("x.wasm", "interface i { f: func(); } world w { import i; }");
    let lib = made("x.wasm", "interface i { f: func(); } world w { export i; }");
    let composed = compose([app, lib]).expect("composed");
    assert_eq!(composed.program(), "x.wasm");
    assert_eq!(composed.plugs()[0].provider, "x.wasm (1)");
}
