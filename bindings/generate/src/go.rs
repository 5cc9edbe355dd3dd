//! The packages of the Go module: the output of `wit-bindgen-go`, over the module's own scheduler and memory.
//!
//! The generator's own scheduler ends a call in which nothing is pending, so goroutines could not wait for each
//! other, and its memory keeps every result for ever. `bindings/go/internal/wit` replaces both.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use wit_bindgen_core::Files;

use crate::{World, sbom};

const MODULE: &str = "asyncio-streams/internal/wit";

pub(crate) fn generate(world: &World, out: &Path) -> Result<()> {
    let options = wit_bindgen_go::Opts {
        pkg_name: Some(MODULE.into()),
        format: wit_bindgen_go::Format::False,
        ..Default::default()
    };
    let generated = crate::generate(world, options.build())?;
    let mut files = Files::default();
    for (name, content) in generated.iter() {
        if let Some(name) = name.strip_prefix("exports/wit_exports/") {
            let package = format!("wit_{}", world.world);
            let content = export(&text(content, name)?, &package)?;
            files.push(&format!("exports/{package}/{name}"), content.as_bytes());
        } else {
            let content = adapted(&text(content, name)?);
            files.push(name, content.as_bytes());
        }
    }
    let types = generator()?.join("src/pkg/wit/types");
    let entries =
        fs::read_dir(&types).with_context(|| format!("cannot read {}", types.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let content = adapted(&fs::read_to_string(entry.path())?);
        files.push(&format!("types/{name}"), content.as_bytes());
    }
    crate::write(&files, out)
}

/// Returns the folder of the crate `wit-bindgen-go`, which contains the types that generated code uses.
fn generator() -> Result<PathBuf> {
    let metadata = sbom::metadata(&[])?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.find(|package| package["name"] == "wit-bindgen-go");
    let manifest = found.and_then(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|file| Path::new(file).parent());
    Ok(folder
        .context("Cargo.lock names no wit-bindgen-go")?
        .to_owned())
}

fn text(content: &[u8], name: &str) -> Result<String> {
    String::from_utf8(content.to_vec()).with_context(|| format!("{name} is not UTF-8"))
}

/// The elements of lists that are not lifted one by one.
const NUMBERS: [&str; 10] = [
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64",
];

/// Replaces the generator's packages in generated code by the module's.
fn adapted(content: &str) -> String {
    let lines = content.lines().map(|line| {
        // The only kind of function that takes results and has no pinner.
        let lifts = line.starts_with("func wasm_future_lift_") && line.ends_with('{');
        let pinner = if lifts {
            "pinner := &runtime.Pinner{}; defer pinner.Unpin()\n"
        } else {
            ""
        };
        format!("{line}\n{pinner}")
    });
    let content = lines
        .collect::<String>()
        .replace("go.bytecodealliance.org/pkg/wit/", &format!("{MODULE}/"));
    // The garbage collector frees results of calls after they are taken: texts and lists of numbers at once, other lists
    // after their elements.
    let content = NUMBERS.iter().fold(content, |content, number| {
        content.replace(
            &format!("(*{number})(unsafe.Pointer(uintptr(*(*uint32)("),
            &format!("(*{number})(witRuntime.Lifted(uintptr(*(*uint32)("),
        )
    });
    content.replace(
        "unsafe.Add(unsafe.Pointer(uintptr(*(*uint32)(",
        "unsafe.Add(witRuntime.Kept(pinner, uintptr(*(*uint32)(",
    )
}

/// The export of a world: its result is returned in the task that was called.
fn export(content: &str, package: &str) -> Result<String> {
    let content = adapted(content).replace("package wit_exports", &format!("package {package}"));
    let start = "witAsync.Run(func() {";
    ensure!(
        content.matches(start).count() == 1,
        "the generator's export has another form: {start} is not there once"
    );
    let content = content.replace(start, "witAsync.Run(func(task *witAsync.Task) {");
    let result = content
        .find("result := ")
        .and_then(|at| Some(at + content.get(at..)?.find('\n')?))
        .context("the generator's export has another form: it has no result")?;
    let (before, after) = content.split_at(result);
    Ok(format!("{before}\ntask.Home(){after}"))
}
