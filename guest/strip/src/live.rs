//! The functions, the data and the entries of the table that a module uses. Without the messages of panics, nothing uses their text,
//! nor the functions that would write it.
//!
//! Addresses do not change. Data that is left out is zero, and an entry of the table that is left out has another function.

use std::collections::HashSet;
use std::ops::Range;

use wasm_encoder::{ConstExpr, DataSection};
use wasmparser::{
    ConstExpr as Value, Data, DataKind, ElementItems, ExternalKind, Operator, Parser, Payload,
    Result,
};

use super::ends::{Ends, functions_in};
use super::relocations::{Relocations, Target, start_of};

/// The bytes that a segment has besides its data.
const HEAD: usize = 8;

/// The parts of a module that are used. The default has none.
#[derive(Default)]
pub(super) struct Live {
    /// How often the module names each function, those that it imports first.
    uses: Vec<u32>,
    /// The number of functions that it imports.
    imported: usize,
    /// The used parts that only addresses name; none if the linker recorded no addresses: then all are used.
    addressed: Option<Addressed>,
}

impl Live {
    /// Finds what a module uses, where its functions end early.
    pub(super) fn of(module: &[u8], ends: &Ends) -> Result<Self> {
        let (mut imported, mut all) = (0, 0);
        // The functions that the module names outside of code, and in the code of each function.
        let (mut named, mut bodies) = (Vec::new(), Vec::new());
        let mut addressed = Addressed::of(module, &mut named)?;
        for part in Parser::new(0).parse_all(module) {
            match part? {
                Payload::ImportSection(imports) => imported += functions_in(imports)? as usize,
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
                            ElementItems::Functions(functions) if addressed.is_none() => {
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
                if let Some(addressed) = &mut addressed {
                    addressed.mark_code(place.clone(), &mut named);
                }
            }
        }
        Ok(Self {
            uses,
            imported,
            addressed,
        })
    }

    /// Returns how often the module names each function, those that it imports first, and how many it imports.
    pub(super) fn uses(&self) -> (&[u32], usize) {
        (&self.uses, self.imported)
    }

    /// The used parts that only addresses name, if they are known.
    pub(super) fn addressed(&self) -> Option<&Addressed> {
        self.addressed.as_ref()
    }
}

/// The used parts that only addresses name.
pub(super) struct Addressed {
    relocations: Relocations,
    /// The symbols whose data is used.
    symbols: HashSet<usize>,
    /// The functions whose entries in the table are used.
    entries: HashSet<u32>,
}

impl Addressed {
    /// The parts of a module that others use, or nothing if its linker recorded no addresses. Adds functions to `found`.
    fn of(module: &[u8], found: &mut Vec<u32>) -> Result<Option<Self>> {
        let Some(relocations) = Relocations::of(module)? else {
            return Ok(None);
        };
        let exported = relocations.exported().collect();
        let mut addressed = Self {
            relocations,
            symbols: HashSet::new(),
            entries: HashSet::new(),
        };
        addressed.mark(exported, found);
        Ok(Some(addressed))
    }

    /// Marks what the code in a part of the module uses. Adds functions that it has the addresses of to `found`.
    fn mark_code(&mut self, part: Range<u64>, found: &mut Vec<u32>) {
        let targets = self.relocations.within(part).collect();
        self.mark(targets, found);
    }

    /// Marks targets, and what their data has the addresses of.
    fn mark(&mut self, mut targets: Vec<Target>, found: &mut Vec<u32>) {
        while let Some(target) = targets.pop() {
            match target {
                Target::Function(function) => {
                    if self.entries.insert(function) {
                        found.push(function);
                    }
                }
                Target::Data(symbol) => {
                    if self.symbols.insert(symbol)
                        && let Some(data) = self.relocations.symbol(symbol)
                    {
                        targets.extend(self.relocations.within(data.place.clone()));
                    }
                }
            }
        }
    }

    /// Returns whether the entry of a function in the table is used.
    pub(super) fn has_entry(&self, function: u32) -> bool {
        self.entries.contains(&function)
    }

    /// Encodes the used data of a segment, if its address is a number. Returns whether it is.
    pub(super) fn encode_data(
        &self,
        segment: usize,
        data: &Data<'_>,
        section: &mut DataSection,
    ) -> bool {
        let (DataKind::Active { memory_index, .. }, Some(start)) = (&data.kind, start_of(data))
        else {
            return false;
        };
        for piece in self.pieces(segment, data.data) {
            let start = ConstExpr::i32_const(start + piece.start as i32);
            section.active(*memory_index, &start, data.data[piece].iter().copied());
        }
        true
    }

    /// The used bytes of a segment that are not zero, as memory is at first. Short gaps between them are no gaps.
    fn pieces(&self, segment: usize, data: &[u8]) -> Vec<Range<usize>> {
        let symbols = self.symbols.iter();
        let mut used: Vec<_> = symbols
            .filter_map(|of| self.relocations.symbol(*of))
            .filter(|of| of.segment == segment)
            .flat_map(|of| of.bytes.clone())
            .filter(|at| data.get(*at).is_some_and(|byte| *byte != 0))
            .collect();
        used.sort_unstable();
        let mut pieces: Vec<Range<usize>> = Vec::new();
        for at in used {
            match pieces.last_mut() {
                Some(last) if at <= last.end + HEAD => last.end = at + 1,
                _ => pieces.push(at..at + 1),
            }
        }
        pieces
    }
}

/// Adds the functions to which a constant refers.
fn references(value: &Value<'_>, found: &mut Vec<u32>) -> Result<()> {
    for operator in value.get_operators_reader() {
        if let Operator::RefFunc { function_index } = operator? {
            found.push(function_index);
        }
    }
    Ok(())
}
