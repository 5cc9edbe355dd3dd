//! An exported interface that the crate writes by hand, with the string encoding `latin1+utf16`.
//!
//! wit-bindgen knows UTF-8 alone. A component has an encoding for each function, from the metadata in the module's custom sections.

use anyhow::{Context as _, Result};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use wit_bindgen_core::wit_parser::{Resolve, WorldId, WorldItem, WorldKey};
use wit_component::{StringEncoding, metadata};

/// Takes an interface out of the exports of a world; returns the section that describes it.
///
/// # Errors
///
/// When the world does not export the interface.
pub(crate) fn take_export(
    resolve: &mut Resolve,
    world: WorldId,
    name: &str,
) -> Result<TokenStream> {
    let key = find(resolve, world, name)
        .with_context(|| format!("latin1: the world exports no interface {name}"))?;
    let mut alone = resolve.clone();
    if let Some(world) = alone.worlds.get_mut(world) {
        // A world of its own: the linker merges worlds that have different names.
        world.name = format!("component-{name}");
        world.imports.clear();
        world.exports.retain(|other, _| *other == key);
    }
    let section = metadata::encode(&alone, world, StringEncoding::CompactUTF16, None, false)?;
    if let Some(world) = resolve.worlds.get_mut(world) {
        world.exports.shift_remove(&key);
    }
    let (length, section) = (section.len(), Literal::byte_string(&section));
    Ok(quote! {
        #[cfg(target_arch = "wasm32")]
        #[used]
        #[unsafe(link_section = "component-type:asyncio-streams-bindgen:latin1")]
        static LATIN1: [u8; #length] = *#section;
    })
}

fn find(resolve: &Resolve, world: WorldId, name: &str) -> Option<WorldKey> {
    let exports = &resolve.worlds.get(world)?.exports;
    let found = exports.iter().find(|(_, item)| match item {
        WorldItem::Interface { id, .. } => {
            let interface = resolve.interfaces.get(*id);
            interface.and_then(|interface| interface.name.as_deref()) == Some(name)
        }
        _ => false,
    });
    found.map(|(key, _)| key.clone())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{env, fs};

    use anyhow::{Context as _, Result, ensure};
    use wit_bindgen_core::wit_parser::Resolve;
    use wit_component::{StringEncoding, metadata};

    /// The crate for programs has this file, because it uses wit-bindgen's macro, and not this crate.
    #[test]
    fn the_section_of_the_client_is_that_of_the_interface() -> Result<()> {
        let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut resolve = Resolve::default();
        resolve.push_path(guest.join("../wit"))?;
        let program = "package asyncio:rust; world latin1 { import asyncio:streams/latin1@0.1.0; }";
        let package = resolve.push_str("latin1.wit", program)?;
        let world = resolve.select_world(&[package], None)?;
        let section = metadata::encode(&resolve, world, StringEncoding::CompactUTF16, None, false)?;
        let file = guest.join("client/src/imported/latin1.component-type");
        if env::var_os("BLESS").is_some_and(|value| value == "1") {
            fs::write(&file, &section).with_context(|| file.display().to_string())?;
        }
        let known = fs::read(&file).with_context(|| file.display().to_string())?;
        ensure!(
            known == section,
            "{} is not of the interface in wit/latin1.wit: make it anew with BLESS=1 cargo test -p asyncio-streams-bindgen",
            file.display()
        );
        Ok(())
    }
}
