//! Makes a component smaller: removes its custom sections, where the linker puts names for debuggers, and shortens the names
//! that its modules and nested components have for each other. The linker writes the name of each function several times, a tenth
//! of `streams.wasm`. Neither hosts nor other components use these names. Functions that are named often get low numbers. A
//! component that cannot print does nothing for the message of a panic, and has no data for it. Control flow takes fewer blocks.
//!
//! One map renames all names of modules, and another one all arguments of nested components. Equal names stay equal and
//! different names stay different, so every part still finds the others.

use std::convert::Infallible;

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{
    self, Reencode, ReencodeComponent, component_utils as components, utils as modules,
};
use wasm_encoder::{
    Alias, CodeSection, Component, ComponentImportSection, ComponentInstanceSection,
    ComponentTypeRef, DataSection, Elements, ExportSection, FunctionSection, ImportSection,
    InstanceSection, Module,
};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ElementItems, Export, Import,
    Instance, KnownCustom, Parser, Validator,
};

use clear::Clear;
use ends::Ends;
use flow::{Flow, Written};
use live::Live;
use names::Names;
use order::Order;

mod clear;
mod ends;
mod flow;
mod live;
mod names;
mod order;
mod relocations;

/// Returns the component without its custom sections, with short names between its modules and nested components, and with short
/// numbers of functions. Functions and data without a use are left out, and so is what a module does for the message of a panic if the
/// component imports no standard output or error; a call by table before a trap counts as a part of that. The compiler has stripped
/// the modules. Imports and exports stay as they are.
///
/// # Errors
/// When the bytes are not a component.
pub fn strip(component: &[u8]) -> Result<Vec<u8>> {
    let stripped = stripped(component)?;
    Validator::new()
        .validate_all(&stripped)
        .context("the stripped component is not valid: `strip` has a fault")?;
    Ok(stripped)
}

fn stripped(component: &[u8]) -> Result<Vec<u8>> {
    let mut stripper = Stripper {
        can_report: ends::can_report(component)?,
        ..Stripper::default()
    };
    let stripped = stripper.encode(component)?;
    if !stripper.shares_parts {
        return Ok(stripped);
    }
    (stripper.core.kept, stripper.arguments.kept) = (true, true);
    stripper.encode(component)
}

/// Encodes a component again, and changes names on the way.
#[derive(Default)]
struct Stripper {
    /// Whether a component may take or hand out modules or components: then not all users of their names are known.
    shares_parts: bool,
    /// The component can report a panic.
    can_report: bool,
    /// The number of parts around the current one.
    depth: u32,
    /// The new numbers of the current module's functions. Outside of modules, none changes.
    functions: Order,
    /// The ends of the current module.
    ends: Ends,
    /// The branches of the current module that leave the stack empty.
    clear: Clear,
    /// The parts that the current module uses.
    live: Live,
    /// The names of imports and exports of modules.
    core: Names,
    /// The names of imports of nested components.
    arguments: Names,
}

type Error = reencode::Error<Infallible>;

type Encoded = Result<(), Error>;

impl Stripper {
    fn encode(&mut self, component: &[u8]) -> Result<Vec<u8>> {
        let mut encoded = Component::new();
        self.parse_component(&mut encoded, Parser::new(0), component)?;
        Ok(encoded.finish())
    }
}

impl Reencode for Stripper {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::ImportSectionReader<'_>,
    ) -> Encoded {
        for import in imports.into_imports() {
            let Import { module, name, ty } = import?;
            let ty = self.entity_type(ty)?;
            section.import(self.core.short(module), self.core.short(name), ty);
        }
        Ok(())
    }

    fn parse_export(&mut self, section: &mut ExportSection, mut export: Export<'_>) -> Encoded {
        export.name = self.core.short(export.name);
        modules::parse_export(self, section, export)
    }

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(self.functions.number(function))
    }

    fn parse_function_section(
        &mut self,
        section: &mut FunctionSection,
        functions: wasmparser::FunctionSectionReader<'_>,
    ) -> Encoded {
        let types = functions.into_iter().collect::<Result<Vec<_>, _>>()?;
        for of in self.functions.sorted(&types) {
            section.function(self.type_index(of)?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        section: &mut CodeSection,
        code: wasmparser::CodeSectionReader<'_>,
    ) -> Encoded {
        let bodies = code.into_iter().collect::<Result<Vec<_>, _>>()?;
        let bodies: Vec<_> = bodies.into_iter().enumerate().collect();
        for (number, body) in self.functions.sorted(&bodies) {
            let mut function = self.new_function_with_parsed_locals(&body)?;
            let steps = self.ends.kept(&body)?;
            let start = body.range().start;
            let operators = steps.iter().map(|(operator, place)| {
                let clear = self.clear.contains(number, place.start - start);
                (operator.clone(), clear)
            });
            match Flow::of(operators)? {
                Some(mut flow) => {
                    flow.shorten();
                    flow.write(&mut |written| {
                        function.instruction(&match written {
                            Written::Same(operator) => self.instruction(operator)?,
                            Written::New(instruction) => instruction,
                        });
                        Ok::<_, Error>(())
                    })?;
                }
                None => {
                    for (operator, _) in steps {
                        function.instruction(&self.instruction(operator)?);
                    }
                }
            }
            section.function(&function);
        }
        Ok(())
    }

    fn element_items<'a>(&mut self, items: ElementItems<'a>) -> Result<Elements<'a>, Error> {
        let (ElementItems::Functions(functions), Some(used)) = (&items, self.live.addressed())
        else {
            return modules::element_items(self, items);
        };
        let mut numbers = Vec::new();
        for function in functions.clone() {
            let function = function?;
            // An unused entry is never called. Function 0 has the shortest number.
            numbers.push(if used.has_entry(function) {
                self.functions.number(function)
            } else {
                0
            });
        }
        Ok(Elements::Functions(numbers.into()))
    }

    fn parse_data_section(
        &mut self,
        section: &mut DataSection,
        data: wasmparser::DataSectionReader<'_>,
    ) -> Encoded {
        for (number, of) in data.into_iter().enumerate() {
            let of = of?;
            let used = self.live.addressed();
            if !used.is_some_and(|used| used.encode_data(number, &of, section)) {
                self.parse_data(section, of)?;
            }
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Encoded {
        match section.as_known() {
            // Their offsets are wrong for the new bytes.
            KnownCustom::Linking(_) | KnownCustom::Reloc(_) => Ok(()),
            _ => modules::parse_custom_section(self, module, section),
        }
    }
}

impl ReencodeComponent for Stripper {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        parser: Parser,
        module: &[u8],
    ) -> Encoded {
        self.ends = if self.can_report {
            Ends::default()
        } else {
            Ends::of(module)?
        };
        // In a module that is not valid, no branch is clear.
        self.clear = Clear::of(module).unwrap_or_default();
        self.live = Live::of(module, &self.ends)?;
        self.functions = Order::of(&self.live);
        components::parse_component_submodule(self, component, parser, module)?;
        // The component numbers functions of its own.
        self.functions = Order::default();
        Ok(())
    }

    fn parse_component_custom_section(
        &mut self,
        _: &mut Component,
        _: wasmparser::CustomSectionReader<'_>,
    ) -> Encoded {
        Ok(())
    }

    fn parse_component_import_section(
        &mut self,
        section: &mut ComponentImportSection,
        imports: wasmparser::ComponentImportSectionReader<'_>,
    ) -> Encoded {
        for import in imports {
            let mut import = import?;
            if self.depth > 0 {
                import.name.name = self.arguments.short(import.name.name);
            }
            section.import(import.name, self.component_type_ref(import.ty)?);
        }
        Ok(())
    }

    fn component_alias<'a>(&mut self, mut alias: ComponentAlias<'a>) -> Result<Alias<'a>, Error> {
        if let ComponentAlias::CoreInstanceExport { name, .. } = &mut alias {
            *name = self.core.short(name);
        }
        components::component_alias(self, alias)
    }

    fn parse_instance(
        &mut self,
        section: &mut InstanceSection,
        mut instance: Instance<'_>,
    ) -> Encoded {
        match &mut instance {
            Instance::Instantiate { args, .. } => {
                args.iter_mut()
                    .for_each(|of| of.name = self.core.short(of.name));
            }
            Instance::FromExports(exports) => {
                exports
                    .iter_mut()
                    .for_each(|of| of.name = self.core.short(of.name));
            }
        }
        components::parse_instance(self, section, instance)
    }

    fn parse_component_instance(
        &mut self,
        section: &mut ComponentInstanceSection,
        mut instance: ComponentInstance<'_>,
    ) -> Encoded {
        if let ComponentInstance::Instantiate { args, .. } = &mut instance {
            args.iter_mut()
                .for_each(|of| of.name = self.arguments.short(of.name));
        }
        components::parse_component_instance(self, section, instance)
    }

    fn component_external_index(&mut self, kind: ComponentExternalKind, index: u32) -> u32 {
        use ComponentExternalKind::{Component, Module};
        self.shares_parts |= matches!(kind, Module | Component);
        // No index changes.
        index
    }

    fn component_type_ref(
        &mut self,
        of: wasmparser::ComponentTypeRef,
    ) -> Result<ComponentTypeRef, Error> {
        use wasmparser::ComponentTypeRef::{Component, Module};
        self.shares_parts |= matches!(of, Module(_) | Component(_));
        components::component_type_ref(self, of)
    }
}

#[cfg(test)]
mod tests;
