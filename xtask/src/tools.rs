//! Programs of others that the automation uses: found on PATH, or built from crates once, into `target/tools`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::{checkout, process};

/// A program that cargo can build from a crate.
pub(crate) struct Tool {
    program: &'static str,
    krate: &'static str,
    /// The version to build where none is found.
    version: &'static str,
    /// How the versions that will do begin.
    fits: &'static str,
    /// Only what is used here: everything would take several times as long to build.
    features: &'static str,
    /// What a build from nothing takes on two cores.
    takes: &'static str,
}

/// Runs components, as the people do who have no Rust.
pub(crate) const WASMTIME: Tool = Tool {
    program: "wasmtime",
    krate: "wasmtime-cli",
    version: "48.0.8",
    fits: "48.",
    features: "run,compile,component-model,component-model-async,parallel-compilation",
    takes: "five minutes",
};

/// Composes components.
pub(crate) const WAC: Tool = Tool {
    program: "wac",
    krate: "wac-cli",
    version: "0.12.0",
    fits: "0.",
    features: "",
    takes: "two minutes",
};

/// Links components; rustup's and Debian's compilers come with it.
pub(crate) const WASM_COMPONENT_LD: Tool = Tool {
    program: "wasm-component-ld",
    krate: "wasm-component-ld",
    version: "0.5.21",
    fits: "0.5.",
    features: "",
    takes: "two minutes",
};

impl Tool {
    /// What people may be told to install.
    pub(crate) const ALL: [Self; 2] = [WASMTIME, WAC];

    /// Finds the program, or builds it.
    ///
    /// # Errors
    /// When it has to be built and cannot be: how to get it otherwise.
    pub(crate) fn get(&self) -> Result<PathBuf> {
        let Self {
            program,
            krate,
            version,
            fits,
            features,
            takes,
        } = self;
        let tools = checkout::tools();
        let built = tools
            .join("bin")
            .join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        let candidates = checkout::on_path(program)
            .into_iter()
            .chain([built.clone()]);
        if let Some(found) = candidates
            .into_iter()
            .find(|candidate| self.is_fit(candidate))
        {
            return Ok(found);
        }
        eprintln!(
            "There is no {program} {fits}x on PATH: building it from crates, once ({takes} on two cores)"
        );
        let mut command = checkout::native_cargo("install");
        command.args([
            krate,
            "--version",
            version,
            "--locked",
            "--no-default-features",
            "--features",
            features,
        ]);
        command.arg("--root").arg(&tools);
        process::run(&mut command, &format!("building {program}"), Duration::from_secs(45 * 60)).with_context(|| {
            format!("the program {program} {version} could not be built (cargo says why above): put one on PATH")
        })?;
        Ok(built)
    }

    /// Whether `cargo install ...`, in words, installs a version that will do.
    pub(crate) fn is_installed_by(&self, words: &[&str]) -> bool {
        let version = words.iter().skip_while(|word| **word != "--version").nth(1);
        words.contains(&self.krate) && version.is_some_and(|version| version.starts_with(self.fits))
    }

    fn is_fit(&self, program: &Path) -> bool {
        let said =
            process::output_of(checkout::clean(program).arg("--version")).unwrap_or_default();
        // `wasmtime 48.0.8`, `wac-cli 0.12.0`.
        said.split_whitespace()
            .nth(1)
            .is_some_and(|version| version.starts_with(self.fits))
    }
}
