//! Generates the bindings of a WIT face in its build script: wit-bindgen's, with one copy of the code that lowers errors.

mod share;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::{Opts, WithOption};

/// The bindings of one world.
#[derive(Debug)]
pub struct Bindings {
    world: String,
    wit: PathBuf,
    options: Opts,
}

impl Bindings {
    /// Starts with the world `world` of the WIT package in the folder `wit`.
    pub fn new(wit: impl Into<PathBuf>, world: impl Into<String>) -> Self {
        let options = Opts {
            generate_all: true,
            ..Opts::default()
        };
        Bindings {
            world: world.into(),
            wit: wit.into(),
            options,
        }
    }

    /// Takes the types of an imported interface from a module of another crate.
    #[must_use]
    pub fn with(mut self, interface: &str, module: &str) -> Self {
        let module = WithOption::Path(module.to_owned());
        self.options.with.push((interface.to_owned(), module));
        self
    }

    /// Makes an exported function sync that is async in WIT.
    #[must_use]
    pub fn sync(mut self, function: &str) -> Self {
        self.options.async_.push(&format!("export:{function}"));
        self
    }

    /// Takes the run time of async calls from another crate.
    #[must_use]
    pub fn runtime(mut self, module: &str) -> Self {
        self.options.runtime_path = Some(module.to_owned());
        self
    }

    /// Writes the bindings to `bindings.rs` in the folder `OUT_DIR` of the build script, and tells cargo when to repeat it.
    ///
    /// # Errors
    /// When the WIT is wrong, or wit-bindgen writes code whose errors this crate does not find.
    pub fn write(self) -> Result<()> {
        println!("cargo::rerun-if-changed={}", self.wit.display());
        let out =
            std::env::var_os("OUT_DIR").context("OUT_DIR is not set: this is no build script")?;
        let bindings = self.generate()?;
        std::fs::write(Path::new(&out).join("bindings.rs"), bindings)?;
        Ok(())
    }

    fn generate(self) -> Result<String> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(&self.wit)?;
        let world = resolve.select_world(&[package], Some(&self.world))?;
        let mut files = Files::default();
        self.options
            .build()
            .generate(&mut resolve, world, &mut files)?;
        let (_, source) = files.iter().next().context("wit-bindgen wrote no file")?;
        let (source, shared) = share::errors(std::str::from_utf8(source)?)?;
        ensure!(
            shared > 20,
            "only {shared} functions of the world {} lower errors as expected: this version of wit-bindgen writes them in \
             another way, which share.rs has to know",
            self.world
        );
        Ok(source)
    }
}
