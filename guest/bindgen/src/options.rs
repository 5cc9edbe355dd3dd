//! The arguments of the macro.

use quote::ToTokens as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, Token, braced, bracketed};
use wit_bindgen_rust::{Opts, WithOption};

/// The world, and how its bindings are generated.
pub(crate) struct Options {
    /// The folder of the WIT package.
    pub(crate) path: String,
    pub(crate) world: String,
    /// The exported interface without bindings, whose strings are Latin-1.
    pub(crate) latin1: Option<String>,
    pub(crate) wit_bindgen: Opts,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut path, mut world, mut latin1) = (None, None, None);
        let mut wit_bindgen = Opts {
            generate_all: true,
            // A component has no static constructors: every exported function would check whether they have run.
            disable_run_ctors_once_workaround: true,
            ..Opts::default()
        };
        let fields;
        braced!(fields in input);
        while !fields.is_empty() {
            let name: Ident = fields.parse()?;
            fields.parse::<Token![:]>()?;
            match name.to_string().as_str() {
                "path" => path = Some(string(&fields)?),
                "world" => world = Some(string(&fields)?),
                "latin1" => latin1 = Some(string(&fields)?),
                "runtime_path" => wit_bindgen.runtime_path = Some(string(&fields)?),
                "with" => wit_bindgen.with = with(&fields)?,
                "sync" => {
                    for function in strings(&fields)? {
                        wit_bindgen.async_.push(&function.value());
                    }
                }
                _ => return Err(syn::Error::new(name.span(), "unknown option")),
            }
            if !fields.is_empty() {
                fields.parse::<Token![,]>()?;
            }
        }
        Ok(Options {
            path: path.ok_or_else(|| input.error("`path` is missing"))?,
            world: world.ok_or_else(|| input.error("`world` is missing"))?,
            latin1,
            wit_bindgen,
        })
    }
}

fn string(input: ParseStream<'_>) -> syn::Result<String> {
    Ok(input.parse::<LitStr>()?.value())
}

fn strings(input: ParseStream<'_>) -> syn::Result<Punctuated<LitStr, Token![,]>> {
    let list;
    bracketed!(list in input);
    Punctuated::parse_terminated(&list)
}

/// `{ "INTERFACE": module, … }`
fn with(input: ParseStream<'_>) -> syn::Result<Vec<(String, WithOption)>> {
    let entries;
    braced!(entries in input);
    let mut with = Vec::new();
    while !entries.is_empty() {
        let interface = string(&entries)?;
        entries.parse::<Token![:]>()?;
        let module = entries.parse::<Path>()?.to_token_stream().to_string();
        with.push((interface, WithOption::Path(module)));
        if !entries.is_empty() {
            entries.parse::<Token![,]>()?;
        }
    }
    Ok(with)
}
