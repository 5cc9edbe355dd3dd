//! Checks of the WIT package: every item is documented and gated, and changes are deliberate.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use wit_component::{OutputToString, WitPrinter, semver_check};
use wit_parser::{
    AstItem, Docs, Function, FunctionKind, InterfaceId, PackageId, Resolve, Stability, Type,
    TypeDef, TypeDefKind, UnresolvedPackage, UnresolvedPackageGroup, World, WorldId, WorldItem,
};

#[test]
fn every_item_is_documented_and_gated() -> Result<()> {
    let package = UnresolvedPackageGroup::parse_dir(folder("wit"))?.main;
    let missing = missing(&package);
    assert!(missing.is_empty(), "in wit/:\n{}", missing.join("\n"));
    Ok(())
}

/// A change of the interface is a change of the snapshot, which is reviewed: a changed signature or an added case
/// breaks every composed program.
#[test]
fn the_interface_is_the_one_in_the_snapshot() -> Result<()> {
    let snapshot = folder("tests").join("wit-snapshot.txt");
    let printed = print_without_docs(&folder("wit"))?;
    if env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&snapshot, printed).with_context(|| snapshot.display().to_string())?;
        return Ok(());
    }
    let expected = fs::read_to_string(&snapshot).with_context(|| snapshot.display().to_string())?;
    if let Some((number, was, is)) = first_difference(&expected, &printed) {
        bail!(
            "the interface in wit/ is not the one in tests/wit-snapshot.txt; the first difference is in line {number}:\n\
             - {was}\n+ {is}\n\
             If the change is meant and compatible, rewrite the snapshot: BLESS=1 cargo test -p asyncio-streams-tests \
             --test wit_documented"
        );
    }
    Ok(())
}

/// A program that was built for the interface of the snapshot still composes.
#[test]
fn programs_built_for_the_snapshot_still_fit() -> Result<()> {
    let snapshot = fs::read_to_string(folder("tests").join("wit-snapshot.txt"))?;
    let mut resolve = Resolve::default();
    let (new, _) = resolve.push_dir(folder("wit"))?;
    check_upgrade(resolve, &snapshot, new)
}

#[test]
fn the_check_of_upgrades_finds_breaking_changes() -> Result<()> {
    let old =
        "package a:b@0.1.0; interface i { f: func(a: u8); g: func(); } world client { import i; }";
    let check = |text: &str| {
        let mut resolve = Resolve::default();
        let new = resolve.push_str("new.wit", text)?;
        check_upgrade(resolve, old, new)
    };
    check(&old.replace("g: func();", "g: func(); h: func();"))?;
    assert!(check(&old.replace("g: func();", "")).is_err());
    assert!(check(&old.replace("a: u8", "a: u16")).is_err());
    // The same for an interface that no world imports.
    let old = old.replace("import i;", "");
    let check = |text: &str| {
        let mut resolve = Resolve::default();
        let new = resolve.push_str("new.wit", text)?;
        check_upgrade(resolve, &old, new)
    };
    check(&old.replace("g: func();", "g: func(); h: func();"))?;
    assert!(check(&old.replace("g: func();", "")).is_err());
    Ok(())
}

/// Whether programs built for the worlds of `old`, a package as text, fit the package `new`.
fn check_upgrade(mut resolve: Resolve, old: &str, new: PackageId) -> Result<()> {
    // Another version, so that both packages can be in one resolve; the check ignores it. It must not be older than
    // `@since`.
    let old = resolve.push_str("old.wit", &old.replacen("@0.1.0", "@0.1.999", 1))?;
    for (name, &was) in &resolve.packages[old].worlds {
        // The other worlds are those of this project's components.
        if !["client", "client-p2", "server"].contains(&name.as_str()) {
            continue;
        }
        let is = resolve.packages[new].worlds.get(name);
        let is = *is.with_context(|| format!("the world {name} is gone"))?;
        semver_check(resolve.clone(), was, is).with_context(|| {
            format!("a program for the world {name} of tests/wit-snapshot.txt does not fit the one in wit/")
        })?;
    }
    // No world has all interfaces that a program may import.
    let names: Vec<String> = resolve.packages[old].interfaces.keys().cloned().collect();
    for name in names {
        let was = importing(&mut resolve, old, &name)?;
        let is = importing(&mut resolve, new, &name)?;
        semver_check(resolve.clone(), was, is).with_context(|| {
            format!("a program that imports {name} of tests/wit-snapshot.txt does not fit the one in wit/")
        })?;
    }
    Ok(())
}

/// Makes a world that imports an interface of a package.
fn importing(resolve: &mut Resolve, package: PackageId, interface: &str) -> Result<WorldId> {
    let id = resolve.packages[package].name.interface_id(interface);
    let count = resolve.packages.len();
    let text = format!("package check:check@0.1.{count}; world imports {{ import {id}; }}");
    let made = resolve.push_str("check.wit", &text)?;
    let world = resolve.packages[made].worlds.get("imports");
    world.copied().context("the world")
}

#[test]
fn the_check_finds_missing_parts() {
    let text = "
        package a:b@0.1.0;
        interface bare { record r { field: u8 } enum e { case } flags f { flag } resource x { constructor(); } }
        /// The kinds of call.
        @since(version = 0.1.0)
        interface calls {
            @since(version = 0.1.0)
            use bare.{r};
            /// Says too little.
            @since(version = 0.1.0)
            wordless: async func() -> result<r>;
            /// Complete.
            /// # Errors
            /// - none.
            ///
            /// Cancelling does nothing. asyncio: none.
            @since(version = 0.1.0)
            complete: async func() -> result<r>;
        }
        world w { import bare; export run: func(); }
    ";
    let group = UnresolvedPackageGroup::parse("test.wit", text);
    let Ok(group) = group else {
        panic!("the text above is no WIT")
    };
    let expected = [
        "package: no docs",
        "bare: no docs",
        "bare: no @since",
        "bare.r: no docs",
        "bare.r: no @since",
        "bare.r.field: no docs",
        "bare.e: no docs",
        "bare.e: no @since",
        "bare.e.case: no docs",
        "bare.f: no docs",
        "bare.f: no @since",
        "bare.f.flag: no docs",
        "bare.x: no docs",
        "bare.x: no @since",
        "bare.[constructor]x: no docs",
        "bare.[constructor]x: no @since",
        "calls.wordless: no `# Errors`",
        "calls.wordless: not a word about cancelling",
        "calls.wordless: no counterpart (`asyncio:`)",
        "world w: no docs",
        "world w: no @since",
        "world w: import or export of bare: no docs",
        "world w: import or export of bare: no @since",
        "world w.run: no docs",
        "world w.run: no @since",
        "world w.run: no counterpart (`asyncio:`)",
    ];
    assert_eq!(missing(&group.main), expected);
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn print_without_docs(wit: &Path) -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let mut printer = WitPrinter::<OutputToString>::default();
    printer.emit_docs(false);
    printer.print(&resolve, package, &[])?;
    Ok(String::from(printer.output))
}

fn first_difference<'a>(was: &'a str, is: &'a str) -> Option<(usize, &'a str, &'a str)> {
    let (mut was, mut is) = (was.lines(), is.lines());
    for number in 1.. {
        match (was.next(), is.next()) {
            (None, None) => break,
            (was, is) if was == is => {}
            (was, is) => return Some((number, was.unwrap_or("(end)"), is.unwrap_or("(end)"))),
        }
    }
    None
}

/// Returns the missing parts of the package, a line for each. It reads the package as written: a resolved world has
/// more imports, which have no place for documentation.
fn missing(package: &UnresolvedPackage) -> Vec<String> {
    let mut report = Report(Vec::new());
    report.docs("package", &package.docs);
    let foreign: Vec<InterfaceId> = package
        .foreign_deps
        .values()
        .flat_map(|items| items.values())
        .filter_map(|(item, _)| match item {
            AstItem::Interface(id) => Some(*id),
            AstItem::World(_) => None,
        })
        .collect();
    for (id, interface) in package
        .interfaces
        .iter()
        .filter(|(id, _)| !foreign.contains(id))
    {
        let name = interface_name(package, id);
        report.item(name, &interface.docs, &interface.stability);
        for (type_name, id) in &interface.types {
            report.type_def(package, &format!("{name}.{type_name}"), &package.types[*id]);
        }
        for function in interface.functions.values() {
            report.function(package, &format!("{name}.{}", function.name), function);
        }
    }
    for (_, world) in package.worlds.iter() {
        report.world(package, world);
    }
    report.0
}

struct Report(Vec<String>);

impl Report {
    fn world(&mut self, package: &UnresolvedPackage, world: &World) {
        let name = format!("world {}", world.name);
        self.item(&name, &world.docs, &world.stability);
        for item in world.imports.values().chain(world.exports.values()) {
            match item {
                WorldItem::Interface {
                    id,
                    stability,
                    docs,
                    ..
                } => {
                    let what = format!(
                        "{name}: import or export of {}",
                        interface_name(package, *id)
                    );
                    self.item(&what, docs, stability);
                }
                WorldItem::Function(function) => {
                    self.function(package, &format!("{name}.{}", function.name), function);
                }
                WorldItem::Type { id, .. } => {
                    let def = &package.types[*id];
                    self.type_def(
                        package,
                        &format!("{name}.{}", def.name.as_deref().unwrap_or("type")),
                        def,
                    );
                }
            }
        }
    }

    fn type_def(&mut self, package: &UnresolvedPackage, name: &str, def: &TypeDef) {
        if is_use(package, def) {
            return self.stability(name, &def.stability);
        }
        self.item(name, &def.docs, &def.stability);
        let parts: Vec<(&String, &Docs)> = match &def.kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().map(|f| (&f.name, &f.docs)).collect()
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|c| (&c.name, &c.docs)).collect()
            }
            TypeDefKind::Enum(cases) => cases.cases.iter().map(|c| (&c.name, &c.docs)).collect(),
            TypeDefKind::Flags(flags) => flags.flags.iter().map(|f| (&f.name, &f.docs)).collect(),
            _ => Vec::new(),
        };
        for (part, docs) in parts {
            self.docs(&format!("{name}.{part}"), docs);
        }
    }

    fn function(&mut self, package: &UnresolvedPackage, name: &str, function: &Function) {
        self.item(name, &function.docs, &function.stability);
        let text = function.docs.contents.as_deref().unwrap_or_default();
        if can_fail(package, function) && !text.contains("# Errors") {
            self.0.push(format!("{name}: no `# Errors`"));
        }
        let waits = matches!(
            function.kind,
            FunctionKind::AsyncFreestanding
                | FunctionKind::AsyncMethod(_)
                | FunctionKind::AsyncStatic(_)
        );
        if waits
            && !text.to_lowercase().contains("cancelling")
            && !text.contains("nothing to cancel")
        {
            self.0.push(format!("{name}: not a word about cancelling"));
        }
        let is_constructor = matches!(function.kind, FunctionKind::Constructor(_));
        if !is_constructor && !text.contains("asyncio:") {
            self.0.push(format!("{name}: no counterpart (`asyncio:`)"));
        }
    }

    fn item(&mut self, name: &str, docs: &Docs, stability: &Stability) {
        self.docs(name, docs);
        self.stability(name, stability);
    }

    fn docs(&mut self, name: &str, docs: &Docs) {
        if docs
            .contents
            .as_deref()
            .is_none_or(|text| text.trim().is_empty())
        {
            self.0.push(format!("{name}: no docs"));
        }
    }

    fn stability(&mut self, name: &str, stability: &Stability) {
        if !matches!(stability, Stability::Stable { .. }) {
            self.0.push(format!("{name}: no @since"));
        }
    }
}

fn interface_name(package: &UnresolvedPackage, id: InterfaceId) -> &str {
    package.interfaces[id]
        .name
        .as_deref()
        .unwrap_or("(inline interface)")
}

/// Returns whether it is a `use`, which names a type of another interface; it can be gated, but not documented.
fn is_use(package: &UnresolvedPackage, def: &TypeDef) -> bool {
    match def.kind {
        TypeDefKind::Type(Type::Id(id)) => package.types[id].owner != def.owner,
        _ => false,
    }
}

/// Returns whether the function returns a `result`, alone or in a tuple.
fn can_fail(package: &UnresolvedPackage, function: &Function) -> bool {
    let is_result = |ty: &Type| matches!(ty, Type::Id(id) if matches!(package.types[*id].kind, TypeDefKind::Result(_)));
    match function.result {
        Some(ty @ Type::Id(id)) => match &package.types[id].kind {
            TypeDefKind::Tuple(tuple) => tuple.types.iter().any(is_result),
            _ => is_result(&ty),
        },
        _ => false,
    }
}
