//! Programs that were compiled before, which start in milliseconds.

use std::path::Path;

use wasmtime::component::Component;

use super::Program;
use crate::compose::{ComposeError, Part};
use crate::engine::{Engine, LoadError, one_line};

impl Program {
    /// Compiles a component, such as [`compose`](crate::compose::compose) returns, and returns the machine code for
    /// [`Program::from_compiled_file`]. It fits this machine, this version of wasmtime and the settings of `engine` alone.
    ///
    /// # Errors
    /// [`LoadError::Part`] for what is no component, [`LoadError::Compile`] when it cannot be compiled.
    pub fn precompile(
        engine: &Engine,
        name: impl Into<String>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, LoadError> {
        let part = Part::new(name, bytes);
        part.check()?;
        engine
            .wasmtime()
            .precompile_component(bytes)
            .map_err(|error| LoadError::Compile {
                name: part.name().to_owned(),
                reason: one_line(&error),
            })
    }

    /// Loads a file that [`Program::precompile`] has made.
    ///
    /// # Safety
    /// The file is machine code, which runs in this process without any check: it must come from there, and
    /// nobody else may be able to write it, also while the program runs.
    ///
    /// # Errors
    /// A [`LoadError`]: the file cannot be read, was made for another wasmtime or machine, is not composed, or is no
    /// command.
    pub unsafe fn from_compiled_file(
        engine: &Engine,
        path: impl AsRef<Path>,
    ) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        // wasmtime's error would lack the reason.
        std::fs::File::open(path).map_err(|reason| ComposeError::Read {
            path: path.to_owned(),
            reason,
        })?;
        // SAFETY: the caller promises what this function asks for.
        let component = unsafe { Component::deserialize_file(engine.wasmtime(), path) };
        let component = component.map_err(|error| LoadError::Compiled {
            name: name.clone(),
            reason: one_line(&error),
        })?;
        Self::from_linked(engine, &name, engine.link(&name, &component)?)
    }
}
