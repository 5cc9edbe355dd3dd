//! The data and the entries of the table that a module uses. Without the messages of panics, nothing uses their text, nor the
//! functions that would write it.
//!
//! Addresses do not change. Data that is left out is zero, and an entry of the table that is left out has another function.

use std::collections::HashSet;
use std::ops::Range;

use wasm_encoder::{ConstExpr, DataSection};
use wasmparser::{Data, DataKind, Result};

use super::relocations::{Relocations, Target, start_of};

/// The bytes that a segment has besides its data.
const HEAD: usize = 8;

/// The parts that are used.
pub(super) struct Live {
    relocations: Relocations,
    /// The symbols whose data is used.
    symbols: HashSet<usize>,
    /// The functions whose entries in the table are used.
    entries: HashSet<u32>,
}

impl Live {
    /// The parts of a module that others use, or nothing if its linker recorded no addresses. Adds functions to `found`.
    pub(super) fn of(module: &[u8], found: &mut Vec<u32>) -> Result<Option<Self>> {
        let Some(relocations) = Relocations::of(module)? else {
            return Ok(None);
        };
        let exported = relocations.exported().collect();
        let mut live = Self {
            relocations,
            symbols: HashSet::new(),
            entries: HashSet::new(),
        };
        live.mark(exported, found);
        Ok(Some(live))
    }

    /// Marks what the code in a part of the module uses. Adds functions that it has the addresses of to `found`.
    pub(super) fn mark_code(&mut self, part: Range<u64>, found: &mut Vec<u32>) {
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
