//! Finds or installs a compiler for WebAssembly: rustup's with its wasm32 target, or Debian's, which also builds the library.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::compiler::version_of;
use crate::{cargo, checkout, debian, linker, process};

pub use crate::compiler::{Toolchain, rustc_print};

/// The environment variable that names the compiler, as the option `--toolchain` does.
pub const VARIABLE: &str = "XTASK_TOOLCHAIN";

/// The target of the guests.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Searches compare 16 bytes at once, which every runtime with WASI 0.3 supports. The linker records all addresses, by which
/// `guest/strip` finds data without a use. The stack has 64 KiB less than a mebibyte, so that the addresses of the data after it
/// take three bytes instead of four.
const FLAGS: &str =
    "-C target-feature=+simd128 -C link-arg=--emit-relocs -C link-arg=-zstack-size=983040";

/// The compiler that the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// The first of these that is installed, else the first that can be installed.
    #[default]
    Auto,
    /// The compiler of rustup, with its target.
    Rustup,
    /// The packages of Debian.
    Debian,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // clap shows this as the default.
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

impl Toolchain {
    /// Finds a compiler, or installs one.
    ///
    /// # Errors
    /// When there is none and none can be installed. The error lists the attempts and the remedies.
    pub fn get(choice: Choice) -> Result<Self> {
        let (rustup, debian) = (choice != Choice::Debian, choice != Choice::Rustup);
        if rustup && let Some(found) = with_target() {
            return Ok(found);
        }
        if debian && let Some(found) = debian::installed()? {
            return Ok(found);
        }
        let mut tried = Vec::new();
        let installers = [
            (rustup, "rustup", install as fn() -> Result<Self>),
            (debian, "Debian's packages", debian::install),
        ];
        for (_, name, install) in installers.into_iter().filter(|(wanted, ..)| *wanted) {
            match install() {
                Ok(found) => return Ok(found),
                Err(error) => tried.push(format!("{name}: {error:#}")),
            }
        }
        bail!(
            "there is no compiler for {TARGET}, and none could be installed\n  {}\n\n\
             Either of these is enough; then run the command again:\n  \
             rustup target add {TARGET}\n      with rustup's cargo, on a machine that reaches rustup's server\n  \
             sudo apt-get update && sudo apt-get install --no-install-recommends {}\n      \
             on Debian with its security updates, as root or with sudo",
            tried.join("\n  "),
            debian::PACKAGES.join(" "),
        )
    }

    /// `cargo WORDS` for WebAssembly. The first word is the subcommand.
    ///
    /// # Errors
    /// When there is no linker.
    pub fn cargo(&self, words: &str) -> Result<Command> {
        let linker = linker::find(&self.rustc)?;
        let mut command = checkout::clean(&self.cargo);
        command
            .env("CARGO_BUILD_TARGET", TARGET)
            .env("CARGO_TARGET_DIR", &self.target_dir)
            .env("RUSTC", &self.rustc)
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
                &linker.component_ld,
            )
            // Encoded, since a path may hold spaces.
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags().join("\u{1f}"))
            .env("PATH", checkout::path_with(linker.wasm_ld_folder))
            // Flags for native code do not fit WebAssembly.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_BUILD_RUSTFLAGS");
        if self.builds_std {
            // Building the library is unstable; the variable enables it in a stable compiler.
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .arg("-Zbuild-std=std,panic_abort");
            // rustup's cargo puts its libraries there, which do not fit another compiler.
            command.env_remove("LD_LIBRARY_PATH");
        }
        command.args(words.split_whitespace());
        Ok(command)
    }

    /// [`FLAGS`], and flags that keep the builder's folders out of the output: builds in two folders are equal.
    fn flags(&self) -> Vec<String> {
        let sysroot = rustc_print(&self.rustc, "sysroot").filter(|_| !self.builds_std);
        let about = process::output_of(checkout::clean(&self.rustc).arg("-vV"));
        let library = sysroot
            .zip(about)
            .and_then(|(sysroot, about)| remapped_library(&sysroot, &about));
        let remapped = remapped_sources().into_iter().chain(library);
        let remapped =
            remapped.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
        FLAGS
            .split(' ')
            .map(str::to_owned)
            .chain(remapped)
            .collect()
    }
}

/// With rustup's component rust-src, the compiler names the sources of the library by their folder there. Without it, and so
/// in all other builds, by the compiler's commit.
fn remapped_library(sysroot: &Path, about: &str) -> Option<(PathBuf, String)> {
    let source = sysroot.join("lib/rustlib/src/rust");
    let commit = about
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))?;
    let exists = source.join("library").is_dir();
    exists.then(|| (source, format!("/rustc/{commit}")))
}

/// The folders of sources, and their names in the output.
fn remapped_sources() -> Vec<(PathBuf, String)> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")));
    let sources = home.unwrap_or_default().join("registry/src");
    if !sources.is_dir() {
        // The sources must be there before the first build.
        process::output_of(&mut cargo::plain("fetch --locked"));
    }
    let registries = registries(&sources).into_iter();
    let mut remapped: Vec<_> = registries
        .map(|folder| (folder, "crates".to_owned()))
        .collect();
    remapped.push((checkout::root(), ".".to_owned()));
    remapped
}

/// The folders of registries in cargo's folder of sources, sorted: another order of flags is another build. The name of each begins
/// with the registry's host. `cargo package` adds folders without a host, which hold its copies of this project's crates.
fn registries(sources: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(sources).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('-'))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

/// The compiler that runs this program, usually rustup's, if it has the target's library.
fn with_target() -> Option<Toolchain> {
    let rustc = checkout::rustc();
    let library = rustc_print(&rustc, &format!("target-libdir --target={TARGET}"))?;
    has_std(&library).then(|| Toolchain {
        cargo: checkout::cargo(),
        name: format!("rustc {}", version_of(&rustc)),
        rustc,
        builds_std: false,
        target_dir: checkout::target().join("guest"),
    })
}

fn has_std(library: &Path) -> bool {
    let files = std::fs::read_dir(library).into_iter().flatten().flatten();
    files
        .into_iter()
        .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}

/// Adds a target to rustup's compiler.
///
/// # Errors
/// When there is no rustup, or it does not reach its server.
pub(crate) fn add_target(target: &str) -> Result<()> {
    let rustup = checkout::on_path("rustup").context("there is no rustup on PATH")?;
    let mut command = checkout::clean(rustup);
    // Its backtrace would hide the message.
    command
        .args(["target", "add", target])
        .env("RUST_BACKTRACE", "0");
    process::run(&mut command, "`rustup target add`")
}

fn install() -> Result<Toolchain> {
    eprintln!("The compiler has no {TARGET} yet: rustup target add {TARGET}");
    add_target(TARGET)?;
    with_target().with_context(|| {
        let rustc = checkout::rustc();
        format!(
            "it added {TARGET}, but not to the compiler in use, {}",
            rustc.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packaging_does_not_change_the_flags() {
        let sources = std::env::temp_dir().join(format!("xtask sources {}", std::process::id()));
        for name in ["index.example-2", "-0123", "index.example-1"] {
            std::fs::create_dir_all(sources.join(name)).unwrap();
        }
        let expected = ["index.example-1", "index.example-2"].map(|name| sources.join(name));
        assert_eq!(registries(&sources), expected);
        std::fs::remove_dir_all(&sources).unwrap();
        assert!(registries(&sources).is_empty());
    }

    #[test]
    fn the_folder_of_rust_src_is_replaced_where_it_exists() {
        let sysroot = std::env::temp_dir().join(format!("xtask sysroot {}", std::process::id()));
        let about = "rustc 1.95.0\nbinary: rustc\ncommit-hash: 0123\nhost: none";
        assert_eq!(remapped_library(&sysroot, about), None);
        let source = sysroot.join("lib/rustlib/src/rust");
        std::fs::create_dir_all(source.join("library")).unwrap();
        assert_eq!(remapped_library(&sysroot, "rustc 1.95.0"), None);
        let expected = Some((source, "/rustc/0123".to_owned()));
        assert_eq!(remapped_library(&sysroot, about), expected);
        std::fs::remove_dir_all(sysroot).unwrap();
    }
}
