//! The order of a module's functions: those that the module names most often get the lowest numbers, which take the fewest
//! bytes. Functions that nothing uses are left out.

use std::cmp::Reverse;

use wasmparser::{
    ConstExpr, ElementItems, ExternalKind, Operator, Parser, Payload, Result, TypeRef,
};

use super::ends::Ends;
use super::live::Live;

/// New numbers for the functions of a module. Imported functions keep theirs, which come before all others. The default changes
/// no number.
#[derive(Default)]
pub(super) struct Order {
    /// The places of the module's own functions among them, in the new order.
    places: Vec<usize>,
    /// The new numbers of all functions, by the old ones.
    numbers: Vec<u32>,
}

impl Order {
    /// Counts how often a module names each of its functions, and finds the data that the functions in use need.
    pub(super) fn of(module: &[u8], ends: &Ends) -> Result<(Self, Option<Live>)> {
        let (mut imported, mut all) = (0, 0);
        // The functions that the module names outside of code, and in the code of each function.
        let (mut named, mut bodies) = (Vec::new(), Vec::new());
        let mut live = Live::of(module, &mut named)?;
        for part in Parser::new(0).parse_all(module) {
            match part? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import?.ty {
                            imported += 1;
                        }
                    }
                }
                Payload::FunctionSection(functions) => all = imported + functions.count() as usize,
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            named.push(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => named.push(func),
                Payload::GlobalSection(globals) => {
                    for global in globals {
                        references(&global?.init_expr, &mut named)?;
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements {
                        match element?.items {
                            ElementItems::Functions(functions) if live.is_none() => {
                                for function in functions {
                                    named.push(function?);
                                }
                            }
                            ElementItems::Functions(_) => {}
                            ElementItems::Expressions(_, values) => {
                                for value in values {
                                    references(&value?, &mut named)?;
                                }
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(ends.kept(&body)?),
                _ => {}
            }
        }
        let mut uses = vec![0_u32; all];
        while let Some(function) = named.pop() {
            let Some(count) = uses.get_mut(function as usize) else {
                continue;
            };
            *count += 1;
            if *count > 1 {
                continue;
            }
            let body = bodies.get((function as usize).wrapping_sub(imported));
            for (operator, place) in body.into_iter().flatten() {
                if let Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } = operator
                {
                    named.push(*function_index);
                }
                if let Some(live) = &mut live {
                    live.mark_code(place.clone(), &mut named);
                }
            }
        }
        let mut places: Vec<usize> = (imported..all).filter(|of| uses[*of] > 0).collect();
        places.sort_by_key(|function| Reverse(uses[*function]));
        let mut numbers: Vec<u32> = (0..).take(all).collect();
        for (number, function) in (0..).skip(imported).zip(&places) {
            numbers[*function] = number;
        }
        places.iter_mut().for_each(|place| *place -= imported);
        Ok((Order { places, numbers }, live))
    }

    /// Returns the new number of a function.
    pub(super) fn number(&self, function: u32) -> u32 {
        let number = self.numbers.get(function as usize);
        number.copied().unwrap_or(function)
    }

    /// Puts the parts of the module's own functions, given in the old order, in the new one.
    pub(super) fn sorted<T: Clone>(&self, parts: &[T]) -> Vec<T> {
        self.places
            .iter()
            .map(|place| parts[*place].clone())
            .collect()
    }
}

/// Adds the functions to which a constant refers.
fn references(value: &ConstExpr<'_>, found: &mut Vec<u32>) -> Result<()> {
    for operator in value.get_operators_reader() {
        if let Operator::RefFunc { function_index } = operator? {
            found.push(function_index);
        }
    }
    Ok(())
}
