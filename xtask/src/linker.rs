//! The linkers of a component: wasm-component-ld, and the wasm-ld that it calls.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::checkout;
use crate::compiler::rustc_print;

/// Both linkers.
pub(crate) struct Linker {
    /// wasm-component-ld.
    pub(crate) component_ld: PathBuf,
    /// The folder of wasm-ld; none when PATH has it.
    pub(crate) wasm_ld_folder: Option<PathBuf>,
}

/// Finds both beside the compiler in use, beside `rustc` or on PATH.
///
/// # Errors
/// When one is missing. The error names the remedy.
pub(crate) fn find(rustc: &OsString) -> Result<Linker> {
    // The compilers of rustup include both, those of Debian only the first.
    let folders: Vec<_> = [&checkout::rustc(), rustc]
        .into_iter()
        .filter_map(program_folder)
        .collect();
    let wasm_ld_folder = find_wasm_ld(&folders)?;
    let beside = folders
        .iter()
        .map(|folder| folder.join("wasm-component-ld"));
    let component_ld = beside
        .chain(checkout::on_path("wasm-component-ld"))
        .find(|file| file.is_file())
        .context(
            "there is no wasm-component-ld: it comes with the compilers of rustup and of Debian; \
             for another compiler run `cargo install --locked wasm-component-ld`, and put it on PATH",
        )?;
    Ok(Linker {
        component_ld,
        wasm_ld_folder,
    })
}

fn find_wasm_ld(folders: &[PathBuf]) -> Result<Option<PathBuf>> {
    let mut beside = folders.iter().map(|folder| folder.join("gcc-ld"));
    if let Some(folder) = beside.find(|folder| folder.join("wasm-ld").exists()) {
        return Ok(Some(folder));
    }
    if checkout::on_path("wasm-ld").is_some() {
        return Ok(None);
    }
    // Debian's lld packages keep it in a folder of their version; Debian's rust-lld names that version.
    let lld = std::fs::read_link("/usr/bin/rust-lld").unwrap_or_default();
    let package = lld.file_name().unwrap_or("lld".as_ref()).to_string_lossy();
    let folder = Path::new("/usr/lib")
        .join(package.replace("lld", "llvm"))
        .join("bin");
    if folder.join("wasm-ld").is_file() {
        return Ok(Some(folder));
    }
    bail!(
        "there is no wasm-ld: it comes with rustup's compilers, and with a package of LLVM's linker \
         (on Debian: apt-get install {package})"
    )
}

/// The folder of the programs that belong to a compiler.
fn program_folder(rustc: &OsString) -> Option<PathBuf> {
    let sysroot = rustc_print(rustc, "sysroot")?;
    let host = rustc_print(rustc, "host-tuple")?;
    Some(sysroot.join("lib/rustlib").join(host).join("bin"))
}
