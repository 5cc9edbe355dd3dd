//! The order of a module's functions: those that the module names most often get the lowest numbers, which take the fewest
//! bytes.

use std::cmp::Reverse;

use wasmparser::{ElementItems, Operator, Parser, Payload, Result, TypeRef};

/// New numbers for the functions of a module. Imported functions keep theirs, which come before all others. The default changes
/// no number.
#[derive(Default)]
pub(super) struct Order {
    /// The old numbers of the module's own functions, in the new order.
    order: Vec<u32>,
    /// The new numbers of all functions, by the old ones.
    numbers: Vec<u32>,
}

impl Order {
    /// Counts how often a module names each of its functions.
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let (mut imported, mut uses) = (0, Vec::new());
        for part in Parser::new(0).parse_all(module) {
            match part? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import?.ty {
                            imported += 1;
                        }
                    }
                }
                Payload::FunctionSection(functions) => {
                    uses.resize(imported + functions.count() as usize, 0_u32);
                }
                Payload::ElementSection(elements) => {
                    for element in elements {
                        if let ElementItems::Functions(functions) = element?.items {
                            for function in functions {
                                count(&mut uses, function?);
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        if let Operator::Call { function_index } = operator? {
                            count(&mut uses, function_index);
                        }
                    }
                }
                _ => {}
            }
        }
        let mut order: Vec<u32> = (0..).take(uses.len()).skip(imported).collect();
        order.sort_by_key(|function| Reverse(uses[*function as usize]));
        let mut numbers: Vec<u32> = (0..).take(uses.len()).collect();
        for (number, function) in (0..).skip(imported).zip(&order) {
            numbers[*function as usize] = number;
        }
        Ok(Order { order, numbers })
    }

    /// Returns the new number of a function.
    pub(super) fn number(&self, function: u32) -> u32 {
        let number = self.numbers.get(function as usize);
        number.copied().unwrap_or(function)
    }

    /// Puts the parts of the module's own functions, given in the old order, in the new one.
    pub(super) fn sorted<T: Clone>(&self, parts: &[T]) -> Vec<T> {
        let imported = self.numbers.len() - self.order.len();
        let places = self.order.iter().map(|function| *function as usize);
        places
            .map(|place| parts[place - imported].clone())
            .collect()
    }
}

fn count(uses: &mut [u32], function: u32) {
    if let Some(uses) = uses.get_mut(function as usize) {
        *uses += 1;
    }
}
