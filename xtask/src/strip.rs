//! Removes the custom sections of a component: the linker adds names for debuggers there, three percent of its size.

use anyhow::{Context as _, Result, ensure};
use wasm_encoder::{Component, RawSection};
use wasmparser::{Encoding, Parser, Payload};

/// Returns the component without its own custom sections. The compiler has stripped its modules.
///
/// # Errors
/// When the bytes are not a component.
pub(crate) fn strip(component: &[u8]) -> Result<Vec<u8>> {
    let mut stripped = Component::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if depth == 0
            && let Some((id, range)) = payload.as_section()
            && !matches!(payload, Payload::CustomSection(_))
        {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            let data = component.get(range).context("a section that is cut off")?;
            stripped.section(&RawSection { id, data });
        }
        match payload {
            Payload::Version { encoding, .. } if depth == 0 => {
                ensure!(encoding == Encoding::Component, "a module");
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(stripped.finish())
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ComponentNameSection, CustomSection, Module, ModuleSection, NameMap};

    use super::*;

    #[test]
    fn only_the_components_own_sections_are_removed() {
        let mut module = Module::new();
        module.section(&CustomSection {
            name: "kept".into(),
            data: b"1".into(),
        });
        let mut plain = Component::new();
        plain.section(&ModuleSection(&module));
        let mut named = plain.clone();
        let (mut names, mut map) = (ComponentNameSection::new(), NameMap::new());
        map.append(0, "module");
        names.core_modules(&map);
        named.section(&names);
        let plain = plain.finish();
        assert_eq!(strip(&named.finish()).unwrap(), plain);
        assert_eq!(strip(&plain).unwrap(), plain);
    }

    #[test]
    fn other_bytes_are_an_error() {
        assert!(strip(b"\0asm").is_err());
        assert!(strip(&Module::new().finish()).is_err());
    }
}
