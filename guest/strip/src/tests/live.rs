use wasm_encoder::{
    ConstExpr, DataSymbolDefinition, ElementSection, Encode, LinkingSection, RefType, SymbolTable,
    TableSection, TableType,
};

use super::*;

/// A component of one module with a table of `entries`, a segment of data at the address 0, and these functions, of which it exports
/// the first; and with what its linker recorded.
fn linked(
    entries: &[u32],
    data: &[u8],
    functions: &[&Function],
    recorded: &[CustomSection<'_>],
) -> Vec<u8> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    types.ty().function([], []);
    imports.import("a", "b", EntityType::Function(0));
    let (mut types_of, mut code) = (FunctionSection::new(), CodeSection::new());
    for function in functions {
        types_of.function(0);
        code.function(function);
    }
    let (mut tables, mut memories) = (TableSection::new(), MemorySection::new());
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        minimum: 9,
        maximum: None,
        table64: false,
        shared: false,
    });
    memories.memory(MEMORY);
    let mut exports = ExportSection::new();
    exports.export("c", ExportKind::Func, 1);
    let mut elements = ElementSection::new();
    elements.active(
        None,
        &ConstExpr::i32_const(1),
        Elements::Functions(entries.into()),
    );
    let mut segments = DataSection::new();
    segments.active(0, &ConstExpr::i32_const(0), data.iter().copied());
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&types_of)
        .section(&tables);
    module
        .section(&memories)
        .section(&exports)
        .section(&elements)
        .section(&code)
        .section(&segments);
    for section in recorded {
        module.section(section);
    }
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}

/// The bytes that the linker records about two symbols of functions and two of data.
fn symbols() -> CustomSection<'static> {
    let mut symbols = SymbolTable::new();
    symbols.function(0, 2, Some("2")).function(0, 3, Some("3"));
    for (name, offset, size) in [("used", 0, 4), ("unused", 4, 16)] {
        let at = DataSymbolDefinition {
            index: 0,
            offset,
            size,
        };
        symbols.data(0, name, Some(at));
    }
    let mut linking = LinkingSection::new();
    linking.symbol_table(&symbols);
    let mut bytes = Vec::new();
    linking.encode(&mut bytes);
    // Without the length.
    let name = bytes.windows(7).position(|of| of == b"linking").unwrap() + 7;
    custom("linking", bytes.split_off(name))
}

fn custom(name: &'static str, data: Vec<u8>) -> CustomSection<'static> {
    CustomSection {
        name: name.into(),
        data: data.into(),
    }
}

#[test]
fn data_and_functions_without_a_use_are_left_out() {
    let [mut first, mut called, mut other] = [const { 0 }; 3].map(|_| Function::new([]));
    // The address of the first data, as the linker encodes it.
    first.raw([0x41, 0x80, 0x80, 0x80, 0x80, 0x00]);
    first.instructions().drop().end();
    called.instructions().i32_const(7).drop().end();
    other.instructions().call(0).end();
    // Each data begins with a number in the table.
    let data = [b"\x02\0\0\0\x01\0\0\0".as_slice(), &[b'-'; 12]].concat();
    let recorded = [
        symbols(),
        // An address of the data 2, in the first function.
        custom("reloc.CODE", vec![0, 1, 4, 4, 2, 0]),
        // The entries of the functions 3 and 2, at the start of each data.
        custom("reloc.DATA", vec![0, 2, 2, 6, 1, 2, 10, 0]),
    ];
    let all = linked(&[2, 3], &data, &[&first, &other, &called], &recorded);
    let used = linked(&[0, 2], b"\x02", &[&first, &called], &[]);
    assert_eq!(stripped(&all).unwrap(), stripped(&used).unwrap());
    // Other code than the linker wrote, whose addresses are at other places.
    let mut short = Function::new([]);
    short
        .instructions()
        .i32_const(0)
        .drop()
        .i32_const(0)
        .drop()
        .end();
    let [moved, plain] =
        [&recorded[..], &[]].map(|of| linked(&[2, 3], &data, &[&short, &other, &called], of));
    assert_eq!(stripped(&moved).unwrap(), stripped(&plain).unwrap());
    // Data that is not the recorded address, as if another step had moved it: the second data's is 4.
    let recorded = [
        symbols(),
        custom("reloc.CODE", vec![0, 1, 4, 4, 2, 0]),
        custom("reloc.DATA", vec![0, 1, 5, 6, 3, 0]),
    ];
    for (address, is_read) in [(4, true), (9, false)] {
        let data = [&[address, 0, 0, 0], [b'-'; 16].as_slice()].concat();
        let [with, without] = [&recorded[..], &[]].map(|of| {
            let component = linked(&[2, 3], &data, &[&first, &other, &called], of);
            stripped(&component).unwrap()
        });
        assert_eq!(with != without, is_read);
    }
}
