//! Shortens the names that the modules and nested components of a component have for each other. The linker writes the name of
//! each function several times, a tenth of `streams.wasm`. Neither hosts nor other components use these names.
//!
//! One map renames all names of modules, and another one all arguments of nested components. Equal names stay equal and
//! different names stay different, so every part still finds the others.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use wasm_encoder::{Component, Encode as _, Module, RawSection};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload,
};

use crate::strip::{Section, sections};

/// The short names of one component.
#[derive(Default)]
pub(crate) struct Names {
    /// Of imports and exports of modules.
    core: Map,
    /// Of imports of nested components.
    arguments: Map,
}

impl Names {
    /// Returns a section of the component with short names, unless it has none to shorten.
    ///
    /// # Errors
    /// When the section cannot be read.
    pub(crate) fn shorten(&mut self, section: &Section<'_>) -> Result<Option<Vec<u8>>> {
        let data = section.data;
        let mut names = Vec::new();
        let map = match &section.payload {
            Payload::ModuleSection { .. } => return self.module(data).map(Some),
            Payload::ComponentSection { .. } => return self.component(data).map(Some),
            Payload::InstanceSection(instances) => {
                for instance in instances.clone() {
                    match instance? {
                        Instance::Instantiate { args, .. } => {
                            names.extend(args.iter().map(|argument| argument.name));
                        }
                        Instance::FromExports(exports) => {
                            names.extend(exports.iter().map(|export| export.name));
                        }
                    }
                }
                &mut self.core
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases.clone() {
                    if let ComponentAlias::CoreInstanceExport { name, .. } = alias? {
                        names.push(name);
                    }
                }
                &mut self.core
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances.clone() {
                    if let ComponentInstance::Instantiate { args, .. } = instance? {
                        names.extend(args.iter().map(|argument| argument.name));
                    }
                }
                &mut self.arguments
            }
            _ => return Ok(None),
        };
        map.replace(data, &names).map(Some)
    }

    fn module(&mut self, module: &[u8]) -> Result<Vec<u8>> {
        let mut shorter = Module::new();
        for Section { id, data, payload } in sections(module, Encoding::Module)? {
            let mut names = Vec::new();
            match payload {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        names.extend([import.module, import.name]);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        names.push(export?.name);
                    }
                }
                _ => {}
            }
            let data = &self.core.replace(data, &names)?;
            shorter.section(&RawSection { id, data });
        }
        Ok(shorter.finish())
    }

    fn component(&mut self, component: &[u8]) -> Result<Vec<u8>> {
        let mut shorter = Component::new();
        for Section { id, data, payload } in sections(component, Encoding::Component)? {
            let mut names = Vec::new();
            if let Payload::ComponentImportSection(imports) = payload {
                for import in imports {
                    names.push(import?.name.name);
                }
            }
            let data = &self.arguments.replace(data, &names)?;
            shorter.section(&RawSection { id, data });
        }
        Ok(shorter.finish())
    }
}

/// Short names, in the order in which they were first asked for.
#[derive(Default)]
struct Map(HashMap<String, String>);

impl Map {
    /// Returns the data with these parts of it shortened, which are names in their order, each behind its length.
    fn replace(&mut self, data: &[u8], names: &[&str]) -> Result<Vec<u8>> {
        let mut replaced = Vec::with_capacity(data.len());
        let mut rest = data;
        for name in names {
            let before = name.as_ptr().addr().checked_sub(rest.as_ptr().addr());
            let mut length = Vec::new();
            name.len().encode(&mut length);
            let (copied, name_and_rest) = before
                .and_then(|before| rest.split_at_checked(before))
                .and_then(|(before, after)| Some((before.strip_suffix(&*length)?, after)))
                .with_context(|| format!("the name {name:?} is not where it was read"))?;
            replaced.extend_from_slice(copied);
            self.short(name).encode(&mut replaced);
            rest = name_and_rest.get(name.len()..).unwrap_or_default();
        }
        replaced.extend_from_slice(rest);
        Ok(replaced)
    }

    fn short(&mut self, name: &str) -> &str {
        let next = self.0.len();
        self.0
            .entry(name.to_owned())
            .or_insert_with(|| letters(next))
    }
}

/// Returns `a` to `z`, then `aa` to `zz`, and so on: names that imports of components may have too.
fn letters(mut number: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return letters;
        }
        number -= 1;
    }
}

/// Returns whether the component keeps its modules and nested components to itself: it neither takes nor hands out any, so that
/// all their users are found.
///
/// # Errors
/// When the bytes are not a component.
pub(crate) fn are_internal(component: &[u8]) -> Result<bool> {
    let is_part = |kind: ComponentExternalKind| {
        matches!(
            kind,
            ComponentExternalKind::Module | ComponentExternalKind::Component
        )
    };
    for payload in Parser::new(0).parse_all(component) {
        let mut crosses = false;
        match payload? {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    crosses |= matches!(
                        import?.ty,
                        ComponentTypeRef::Module(_) | ComponentTypeRef::Component(_)
                    );
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    crosses |= is_part(export?.kind);
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    crosses |= match alias? {
                        ComponentAlias::InstanceExport { kind, .. } => is_part(kind),
                        ComponentAlias::Outer { kind, .. } => matches!(
                            kind,
                            ComponentOuterAliasKind::CoreModule
                                | ComponentOuterAliasKind::Component
                        ),
                        ComponentAlias::CoreInstanceExport { .. } => false,
                    };
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    crosses |= match instance? {
                        ComponentInstance::Instantiate { args, .. } => {
                            args.iter().any(|argument| is_part(argument.kind))
                        }
                        ComponentInstance::FromExports(exports) => {
                            exports.iter().any(|export| is_part(export.kind))
                        }
                    };
                }
            }
            _ => {}
        }
        if crosses {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
