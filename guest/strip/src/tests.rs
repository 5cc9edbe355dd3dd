use wasm_encoder::{
    BlockType, CanonicalFunctionSection, CodeSection, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentNameSection, ComponentTypeSection, CustomSection, EntityType,
    ExportKind, Function, FunctionSection, MemorySection, MemoryType, Module, ModuleArg,
    ModuleSection, NameMap, NestedComponentSection, TypeSection,
};

use super::names::letters;
use super::*;

mod flow;
mod live;

const MEMORY: MemoryType = MemoryType {
    minimum: 1,
    maximum: None,
    memory64: false,
    shared: false,
    page_size_log2: None,
};

/// A module that exports its memory by this name.
fn exporter(name: &str) -> Module {
    let (mut memories, mut exports) = (MemorySection::new(), ExportSection::new());
    memories.memory(MEMORY);
    exports.export(name, ExportKind::Memory, 0);
    let mut module = Module::new();
    module.section(&memories).section(&exports);
    module
}

/// A module that imports a memory by these names.
fn importer(module: &str, name: &str) -> Module {
    let mut imports = ImportSection::new();
    imports.import(module, name, EntityType::Memory(MEMORY));
    let mut importer = Module::new();
    importer.section(&imports);
    importer
}

/// A nested component that imports a type by this name, and exports it.
fn nested(name: &str) -> Component {
    let mut imports = wasm_encoder::ComponentImportSection::new();
    let (mut types, mut exports) = (ComponentTypeSection::new(), ComponentExportSection::new());
    types
        .defined_type()
        .primitive(wasm_encoder::PrimitiveValType::U8);
    imports.import(
        name,
        wasm_encoder::ComponentTypeRef::Type(wasm_encoder::TypeBounds::Eq(0)),
    );
    exports.export("byte", ComponentExportKind::Type, 1, None);
    let mut nested = Component::new();
    nested.section(&types).section(&imports).section(&exports);
    nested
}

/// A component of two modules, an alias and a nested component, whose parts find each other by these names.
fn component([memory, module, argument]: [&str; 3]) -> Component {
    let mut instances = InstanceSection::new();
    let none: [(&str, ModuleArg); 0] = [];
    instances.instantiate(0, none);
    instances.export_items([(memory, ExportKind::Memory, 0)]);
    instances.instantiate(1, [(module, ModuleArg::Instance(1))]);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport {
        instance: 0,
        kind: ExportKind::Memory,
        name: memory,
    });
    let mut types = ComponentTypeSection::new();
    types
        .defined_type()
        .primitive(wasm_encoder::PrimitiveValType::U8);
    let mut nested_instances = ComponentInstanceSection::new();
    nested_instances.instantiate(0, [(argument, ComponentExportKind::Type, 0)]);
    let mut exports = ComponentExportSection::new();
    exports.export("public:name/types", ComponentExportKind::Instance, 0, None);
    let mut component = Component::new();
    component
        .section(&ModuleSection(&exporter(memory)))
        .section(&ModuleSection(&importer(module, memory)))
        .section(&aliases)
        .section(&instances)
        .section(&types)
        .section(&NestedComponentSection(&nested(argument)))
        .section(&nested_instances)
        .section(&exports);
    component
}

#[test]
fn parts_of_a_component_find_each_other_by_short_names() {
    let long = component(["a-long-name", &"b".repeat(200), "import-type-byte"]);
    let short = component(["a", "b", "a"]);
    assert_eq!(stripped(&long.finish()).unwrap(), short.finish());
}

#[test]
fn a_name_of_a_part_that_others_see_stays() {
    let mut exports = ComponentExportSection::new();
    exports.export("engine", ComponentExportKind::Module, 0, None);
    let mut component = Component::new();
    component
        .section(&ModuleSection(&exporter("a-long-name")))
        .section(&exports);
    let component = component.finish();
    assert_eq!(stripped(&component).unwrap(), component);
}

/// A component of one module. It imports a function, and has one function for each list, which calls the functions of the list.
/// The module exports the function `exported`.
fn calls(functions: &[(u32, &[u32])], exported: u32) -> Vec<u8> {
    let bodies = functions.iter().map(|(parameters, called)| {
        let mut function = Function::new([]);
        for of in *called {
            function.instructions().call(*of);
        }
        function.instructions().end();
        (*parameters, function)
    });
    module_of("a", bodies, exported)
}

/// A component of one module, which imports a function of `import` and exports one of its own functions.
fn module_of(
    import: &str,
    functions: impl IntoIterator<Item = (u32, Function)>,
    exported: u32,
) -> Vec<u8> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for parameters in [0, 1, 2] {
        types
            .ty()
            .function(vec![wasm_encoder::ValType::I32; parameters], []);
    }
    imports.import(import, "b", EntityType::Function(0));
    let (mut types_of, mut code) = (FunctionSection::new(), CodeSection::new());
    for (parameters, function) in functions {
        types_of.function(parameters);
        code.function(&function);
    }
    let mut exports = ExportSection::new();
    exports.export("c", ExportKind::Func, exported);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&types_of)
        .section(&exports)
        .section(&code);
    // A function of the component, which has another number.
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(1, 0, []);
    let mut component = Component::new();
    component.section(&ModuleSection(&module)).section(&lifted);
    component.finish()
}

#[test]
fn functions_that_are_called_most_come_first() {
    let before = calls(&[(0, &[2]), (1, &[3, 3, 3]), (2, &[0, 0])], 1);
    let after = calls(&[(2, &[0, 0]), (0, &[3]), (1, &[1, 1, 1])], 2);
    assert_eq!(stripped(&before).unwrap(), stripped(&after).unwrap());
    let [before, after] = [before, after].map(|of| stripped(&of).unwrap());
    assert_eq!(stripped(&after).unwrap(), before);
}

#[test]
fn functions_without_a_use_are_left_out() {
    let unused = calls(&[(0, &[3]), (1, &[2, 0]), (2, &[0])], 1);
    let used = calls(&[(0, &[2]), (2, &[0])], 1);
    assert_eq!(stripped(&unused).unwrap(), stripped(&used).unwrap());
}

/// The function 1 does something and panics if its argument is not 0, by the function 2, which `panic` fills.
fn may_panic(import: &str, panic: Function) -> Vec<u8> {
    let mut checks = Function::new([]);
    checks.instructions().local_get(0).if_(BlockType::Empty);
    checks.instructions().call(0).i32_const(1).drop().call(2);
    checks.instructions().end().end();
    module_of(import, [(1, checks), (0, panic)], 1)
}

#[test]
fn the_work_for_a_message_that_nobody_hears_is_left_out() {
    let mut trap = Function::new([]);
    trap.instructions().i32_const(7).drop().unreachable().end();
    let mut shorter = Function::new([]);
    shorter.instructions().local_get(0).if_(BlockType::Empty);
    shorter.instructions().call(0).unreachable().end().end();
    let shorter = stripped(&module_of("a", [(1, shorter)], 1)).unwrap();
    assert_eq!(stripped(&may_panic("a", trap.clone())).unwrap(), shorter);
    // A component that can print may print the message, also one whose modules have short names already.
    let mut printing = may_panic("a", trap);
    let mut imports = Component::new();
    let (mut types, mut section) = (
        ComponentTypeSection::new(),
        wasm_encoder::ComponentImportSection::new(),
    );
    types.instance(&wasm_encoder::InstanceType::new());
    section.import("wasi:cli/stderr@0.2.0", ComponentTypeRef::Instance(0));
    imports.section(&types).section(&section);
    let head = Component::new().finish().len();
    printing.extend_from_slice(&imports.finish()[head..]);
    assert_eq!(stripped(&printing).unwrap(), printing);
}

/// A function that another one calls at its end, one in the table, and one in a global.
#[test]
fn functions_that_are_named_in_other_ways_stay() {
    let mut module = Module::new();
    let (mut types, mut functions, mut code) = (
        TypeSection::new(),
        FunctionSection::new(),
        CodeSection::new(),
    );
    types.ty().function([], []);
    let mut calls = Function::new([]);
    calls.instructions().return_call(3).end();
    let mut others = Vec::new();
    for number in 1..4 {
        let mut other = Function::new([]);
        other.instructions().i32_const(number).drop().end();
        others.push(other);
    }
    for of in std::iter::once(&calls).chain(&others) {
        functions.function(0);
        code.function(of);
    }
    let mut tables = wasm_encoder::TableSection::new();
    tables.table(wasm_encoder::TableType {
        element_type: wasm_encoder::RefType::FUNCREF,
        minimum: 1,
        maximum: None,
        table64: false,
        shared: false,
    });
    let mut globals = wasm_encoder::GlobalSection::new();
    let of = wasm_encoder::GlobalType {
        val_type: wasm_encoder::ValType::FUNCREF,
        mutable: false,
        shared: false,
    };
    globals.global(of, &wasm_encoder::ConstExpr::ref_func(2));
    let mut exports = ExportSection::new();
    exports.export("c", ExportKind::Func, 0);
    let mut elements = wasm_encoder::ElementSection::new();
    let start = wasm_encoder::ConstExpr::i32_const(0);
    let one = [wasm_encoder::ConstExpr::ref_func(1)];
    let items = Elements::Expressions(wasm_encoder::RefType::FUNCREF, one[..].into());
    elements.active(Some(0), &start, items);
    module
        .section(&types)
        .section(&functions)
        .section(&tables)
        .section(&globals)
        .section(&exports)
        .section(&elements)
        .section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    let component = component.finish();
    let stripped = stripped(&component).unwrap();
    assert_eq!(stripped.len(), component.len());
    wasmparser::Validator::new()
        .validate_all(&stripped)
        .unwrap();
}

#[test]
fn functions_that_return_or_are_heard_stay() {
    let mut returns = Function::new([]);
    returns
        .instructions()
        .i32_const(1)
        .br_if(0)
        .unreachable()
        .end();
    let mut calls = Function::new([]);
    calls.instructions().call(0).unreachable().end();
    let mut goes_on = Function::new([]);
    goes_on.instructions().loop_(BlockType::Empty).br(0).end();
    goes_on.instructions().unreachable().end();
    for stays in [returns, calls, goes_on] {
        let component = may_panic("a", stays);
        assert_eq!(stripped(&component).unwrap(), component);
    }
}

#[test]
fn short_names_differ() {
    let names: Vec<_> = (0..20_000).map(letters).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len());
    assert_eq!([&*names[0], &*names[25], &*names[26]], ["a", "z", "aa"]);
}

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
    assert_eq!(stripped(&named.finish()).unwrap(), plain);
    assert_eq!(stripped(&plain).unwrap(), plain);
}

#[test]
fn other_bytes_are_an_error() {
    assert!(stripped(b"\0asm").is_err());
    assert!(stripped(&Module::new().finish()).is_err());
}
