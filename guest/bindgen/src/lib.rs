//! Generates the bindings of a WIT face: wit-bindgen's, with one copy of the code that lowers errors, and without checks of types.

mod guards;
mod latin1;
mod options;
mod share;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator as _};

use options::Options;

/// The least number of functions that lower errors. There are more than twice as many in every world.
const LEAST: usize = 20;

/// Generates the bindings of a world, with all its interfaces.
///
/// ```text
/// asyncio_streams_bindgen::generate!({
///     path: "../../wit",                                 // the WIT package, from the folder of Cargo.toml
///     world: "component",
///     with: { "wasi:io/poll@0.2.0": other::poll },       // optional: the types of an interface are this module's
///     sync: ["export:a:b/c@0.1.0#call"],                 // optional: async functions that become sync
///     latin1: "latin1",                                  // optional: an exported interface that the crate writes by hand,
///                                                        // with the string encoding latin1+utf16
///     runtime_path: "other::runtime",                    // optional: the run time of async calls
/// });
/// ```
#[proc_macro]
pub fn generate(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let generated = syn::parse::<Options>(input).and_then(|options| {
        bindings(options).map_err(|error| syn::Error::new(Span::call_site(), format!("{error:#}")))
    });
    generated
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}

fn bindings(options: Options) -> Result<TokenStream> {
    let Options {
        path,
        world: name,
        latin1,
        wit_bindgen,
    } = options;
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").context("cargo sets CARGO_MANIFEST_DIR")?;
    let mut resolve = Resolve::default();
    let (package, sources) = resolve.push_path(PathBuf::from(folder).join(path))?;
    let world = resolve.select_world(&[package], Some(&name))?;
    let by_hand = latin1.map(|interface| latin1::take_export(&mut resolve, world, &interface));
    let by_hand = by_hand.transpose()?;
    let mut files = Files::default();
    wit_bindgen
        .build()
        .generate(&mut resolve, world, &mut files)?;
    let (_, source) = files.iter().next().context("wit-bindgen wrote no file")?;
    let (mut source, shared) = share::errors(std::str::from_utf8(source)?)?;
    ensure!(
        shared >= LEAST,
        "only {shared} functions of the world {name} lower errors as expected: this version of wit-bindgen writes them in \
         another way, which share.rs has to know"
    );
    ensure!(
        guards::only_debug(&mut source) > 0,
        "no resource of the world {name} has the function `type_guard`: this version of wit-bindgen checks types in another way, \
         which guards.rs has to know"
    );
    // The compiler must know these files, to compile again when they change.
    let files = sources.paths().map(|file| {
        let file = file.display().to_string();
        quote!(
            const _: &[u8] = include_bytes!(#file);
        )
    });
    Ok(quote!(#source #by_hand #(#files)*))
}
