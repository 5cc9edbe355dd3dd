//! Makes a component smaller: removes its custom sections, where the linker puts names for debuggers, and shortens the names
//! that its parts have for each other.

use anyhow::{Context as _, Result, ensure};
use wasm_encoder::{Component, RawSection};
use wasmparser::{Encoding, Parser, Payload};

use crate::names::{Names, are_internal};

/// A section of a component or a module.
pub(crate) struct Section<'a> {
    pub(crate) id: u8,
    pub(crate) data: &'a [u8],
    pub(crate) payload: Payload<'a>,
}

/// Returns the component without its own custom sections, and with short names between its modules and nested components. The
/// compiler has stripped the modules. Imports and exports stay as they are.
///
/// # Errors
/// When the bytes are not a component.
pub(crate) fn strip(component: &[u8]) -> Result<Vec<u8>> {
    let mut names = are_internal(component)?.then(Names::default);
    let mut stripped = Component::new();
    for section in sections(component, Encoding::Component)? {
        let Section { id, data, payload } = &section;
        if matches!(payload, Payload::CustomSection(_)) {
            continue;
        }
        let shorter = match &mut names {
            Some(names) => names.shorten(&section)?,
            None => None,
        };
        stripped.section(&RawSection {
            id: *id,
            data: shorter.as_deref().unwrap_or(data),
        });
    }
    Ok(stripped.finish())
}

/// Returns the sections of a component or a module, without the sections inside them.
///
/// # Errors
/// When the bytes are something else.
pub(crate) fn sections(bytes: &[u8], expected: Encoding) -> Result<Vec<Section<'_>>> {
    let mut sections = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding, .. } if depth == 0 => {
                ensure!(
                    *encoding == expected,
                    "{encoding:?} instead of {expected:?}"
                );
            }
            Payload::End(_) => depth -= 1,
            _ => {}
        }
        let opens = matches!(
            payload,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
        );
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            let data = bytes.get(range).context("a section that is cut off")?;
            sections.push(Section { id, data, payload });
        }
        depth += i32::from(opens);
    }
    Ok(sections)
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
