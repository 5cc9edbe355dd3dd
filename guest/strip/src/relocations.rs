//! Reads what a linker records with `--emit-relocs`: the places where the code and the data of a module hold an address, and what
//! each of them is the address of.

use std::ops::Range;

use wasmparser::{
    Data, DataKind, ExternalKind, KnownCustom, Linking, Operator, Parser, Payload, RelocationEntry,
    RelocationType, Result, SymbolFlags, SymbolInfo, TypeRef,
};

/// The addresses in a module.
pub(super) struct Relocations {
    /// Their places in the bytes of the module, in order.
    places: Vec<(u64, Target)>,
    /// The data that symbols name.
    symbols: Vec<Option<Symbol>>,
    /// The symbols whose data has an exported address.
    exported: Vec<usize>,
}

/// The data of a symbol.
pub(super) struct Symbol {
    /// The number of its segment.
    pub(super) segment: usize,
    /// Its bytes in the segment.
    pub(super) bytes: Range<usize>,
    /// The same bytes in the module.
    pub(super) place: Range<u64>,
}

/// The target of an address.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// A function, by its entry in the table.
    Function(u32),
    /// The data of a symbol.
    Data(usize),
}

impl Relocations {
    /// Reads them. Returns nothing if the linker recorded none, or for other code. A module whose table is shared, whose memory
    /// another one made, or which copies segments at run time, has none either, as if it used everything.
    pub(super) fn of(module: &[u8]) -> Result<Option<Self>> {
        let (mut named, mut recorded) = (Vec::new(), Vec::new());
        // The starts of the sections.
        let (mut code, mut data, mut segments) = (0, 0, Vec::new());
        for part in Parser::new(0).parse_all(module) {
            match part? {
                Payload::DataCountSection { .. } => return Ok(None),
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        if let TypeRef::Table(_) | TypeRef::Memory(_) = import?.ty {
                            return Ok(None);
                        }
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        if export?.kind == ExternalKind::Table {
                            return Ok(None);
                        }
                    }
                }
                Payload::CodeSectionStart { range, .. } => code = range.start,
                Payload::DataSection(section) => {
                    data = section.range().start;
                    for of in section {
                        segments.push(Segment::of(&of?));
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Linking(linking) => {
                        for part in linking.subsections() {
                            if let Linking::SymbolTable(symbols) = part? {
                                named = symbols.into_iter().collect::<Result<_>>()?;
                            }
                        }
                    }
                    KnownCustom::Reloc(of) => {
                        let entries: Vec<_> = of.entries().into_iter().collect::<Result<_>>()?;
                        recorded.push((section.name(), entries));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if named.is_empty() || recorded.is_empty() {
            return Ok(None);
        }
        let mut places = Vec::new();
        for (section, entries) in recorded {
            // Those of other sections are information for debuggers.
            let start = match section {
                "reloc.CODE" => code,
                "reloc.DATA" => data,
                _ => continue,
            };
            for of in entries {
                let place = start + u64::from(of.offset);
                let is_there = match section {
                    "reloc.CODE" => is_padded(module, place),
                    _ => has_address(module, place, &of, &named, &segments),
                };
                if !is_there {
                    return Ok(None);
                }
                places.extend(target(&of, &named).map(|target| (place, target)));
            }
        }
        places.sort_by_key(|(place, _)| *place);
        let symbols = named.iter().map(|of| Symbol::of(of, &segments)).collect();
        let exported = (0..named.len()).filter(|of| is_exported(&named[*of]));
        let exported = exported.collect();
        Ok(Some(Self {
            places,
            symbols,
            exported,
        }))
    }

    /// The targets of the addresses in a part of the module.
    pub(super) fn within(&self, part: Range<u64>) -> impl Iterator<Item = Target> {
        let first = self
            .places
            .partition_point(|(place, _)| *place < part.start);
        let rest = self.places[first..].iter();
        rest.take_while(move |(place, _)| *place < part.end)
            .map(|(_, target)| *target)
    }

    /// Returns the targets whose addresses other modules know.
    pub(super) fn exported(&self) -> impl Iterator<Item = Target> {
        self.exported.iter().map(|of| Target::Data(*of))
    }

    /// The data of a symbol, if it has some.
    pub(super) fn symbol(&self, number: usize) -> Option<&Symbol> {
        self.symbols.get(number)?.as_ref()
    }
}

/// The place of a segment's data.
struct Segment {
    /// In the module.
    place: Range<u64>,
    /// In memory, if the module says that by a number.
    address: Option<i32>,
}

impl Segment {
    fn of(data: &Data<'_>) -> Self {
        let end = data.range.end;
        Self {
            place: end - data.data.len() as u64..end,
            address: start_of(data),
        }
    }
}

/// Returns the address of an active segment, if it is a number.
pub(super) fn start_of(data: &Data<'_>) -> Option<i32> {
    let DataKind::Active { offset_expr, .. } = &data.kind else {
        return None;
    };
    let mut start = offset_expr.get_operators_reader();
    match (start.read(), start.read()) {
        (Ok(Operator::I32Const { value }), Ok(Operator::End)) => Some(value),
        _ => None,
    }
}

impl Symbol {
    /// Data that is zero at first has no segment in the module.
    fn of(info: &SymbolInfo<'_>, segments: &[Segment]) -> Option<Self> {
        let SymbolInfo::Data { symbol, .. } = info else {
            return None;
        };
        let symbol = (*symbol)?;
        let start = segments.get(symbol.index as usize)?.place.start + u64::from(symbol.offset);
        let offset = symbol.offset as usize;
        Some(Self {
            segment: symbol.index as usize,
            bytes: offset..offset + symbol.size as usize,
            place: start..start + u64::from(symbol.size),
        })
    }
}

fn is_exported(symbol: &SymbolInfo<'_>) -> bool {
    matches!(symbol, SymbolInfo::Data { flags, .. } if flags.contains(SymbolFlags::EXPORTED))
}

/// Returns whether a number has five bytes, as those in code that the linker records.
fn is_padded(module: &[u8], place: u64) -> bool {
    let number = module.get(place as usize..).and_then(<[u8]>::first_chunk);
    number.is_some_and(|[most @ .., last]: &[u8; 5]| most.iter().all(|of| *of > 127) && *last < 128)
}

/// Returns whether the data at a recorded place is in a segment, and is the address of the symbol if that is data: another step may have
/// moved it.
fn has_address(
    module: &[u8],
    place: u64,
    of: &RelocationEntry,
    named: &[SymbolInfo<'_>],
    segments: &[Segment],
) -> bool {
    let is_inside = |of: &Segment| of.place.contains(&place) && of.place.contains(&(place + 3));
    if !segments.iter().any(is_inside) {
        return false;
    }
    let Some(SymbolInfo::Data { symbol, .. }) = named.get(of.index as usize) else {
        return true;
    };
    // Data that is zero at first, and symbols of the linker, have addresses that the module does not tell.
    let start = symbol.and_then(|of| Some((segments.get(of.index as usize)?.address?, of.offset)));
    let Some((start, offset)) = start else {
        return true;
    };
    let address = i64::from(start) + i64::from(offset) + of.addend;
    let bytes = module.get(place as usize..).and_then(<[u8]>::first_chunk);
    bytes.is_some_and(|bytes| i64::from(i32::from_le_bytes(*bytes)) == address)
}

/// Returns the target of a recorded address; none for a call, which is no address.
fn target(of: &RelocationEntry, named: &[SymbolInfo<'_>]) -> Option<Target> {
    // Its index is that of a type instead of a symbol.
    if let RelocationType::FunctionIndexLeb | RelocationType::TypeIndexLeb = of.ty {
        return None;
    }
    match named.get(of.index as usize)? {
        SymbolInfo::Func { index, .. } => Some(Target::Function(*index)),
        SymbolInfo::Data { .. } => Some(Target::Data(of.index as usize)),
        _ => None,
    }
}
