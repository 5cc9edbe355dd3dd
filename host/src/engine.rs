use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup as p2_lookup;
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup;

use crate::compose::{ComposeError, Part, is_provided_by_host, provider_of};
use crate::network::{Lookup, LookupP2, LookupP2View, LookupView, add_bind_to_linker};
use crate::state::State;
use crate::text::{self, Escaped};
use crate::{signals, sockets};

/// Compiles components and links them with WASI. One engine is enough for a whole process; a clone is the same
/// engine.
#[derive(Clone)]
pub struct Engine {
    linker: Arc<Linker<State>>,
    interruptible: bool,
}

impl Engine {
    /// Makes an engine with wasmtime's default settings.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when wasmtime cannot work on this machine.
    pub fn new() -> Result<Self, LoadError> {
        Self::with_config(&wasmtime::Config::new())
    }

    /// Makes an engine with other settings: a compilation cache, another optimization level.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when wasmtime does not accept the settings.
    pub fn with_config(config: &wasmtime::Config) -> Result<Self, LoadError> {
        Self::link(config, false)
    }

    /// Makes an engine that can end a program which computes without ever waiting. [`serve`](crate::serve) needs it
    /// for its `stuck_timeout`. Programs run some 6 % slower, and copy lists between components at half the speed: each
    /// loop has a check.
    ///
    /// # Errors
    /// As [`Engine::with_config`].
    pub fn interruptible(mut config: wasmtime::Config) -> Result<Self, LoadError> {
        config.epoch_interruption(true);
        Self::link(&config, true)
    }

    /// Compiles a component for [`Program::from_compiled`](crate::Program::from_compiled) with an engine of the same
    /// settings and version.
    ///
    /// # Errors
    /// As [`Program::from_file`](crate::Program::from_file).
    pub fn compile(&self, name: impl Into<String>, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let part = Part::new(name, bytes);
        let component = self.component(&part)?;
        // Linking errors are reported now, not when the result is loaded.
        self.link_component(part.name(), &component)?;
        component.serialize().map_err(|error| LoadError::Compile {
            name: part.name().to_owned(),
            reason: one_line(&error),
        })
    }

    fn link(config: &wasmtime::Config, interruptible: bool) -> Result<Self, LoadError> {
        let linker = || {
            let engine = wasmtime::Engine::new(config)?;
            let mut linker = Linker::<State>::new(&engine);
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            wasmtime_wasi::p3::add_to_linker(&mut linker)?;
            // Replaces wasmtime's look-ups, binds and TCP sockets: the policy checks names, and records the ports
            // that the system chooses.
            linker.allow_shadowing(true);
            ip_name_lookup::add_to_linker::<_, Lookup>(&mut linker, |_| LookupView)?;
            p2_lookup::add_to_linker::<_, LookupP2>(&mut linker, |state| LookupP2View(state))?;
            add_bind_to_linker(&mut linker)?;
            sockets::add_to_linker(&mut linker)?;
            signals::add_to_linker(&mut linker)?;
            #[cfg(unix)]
            sockets::unix::add_to_linker(&mut linker)?;
            Ok(linker)
        };
        let linker = linker().map_err(|error: wasmtime::Error| LoadError::Engine {
            reason: one_line(&error),
        })?;
        Ok(Self {
            linker: Arc::new(linker),
            interruptible,
        })
    }

    /// Compiles a component and links it. An import beyond WASI and this host's own is an error that names its provider.
    pub(crate) fn load(&self, part: &Part) -> Result<InstancePre<State>, LoadError> {
        self.link_component(part.name(), &self.component(part)?)
    }

    fn component(&self, part: &Part) -> Result<Component, LoadError> {
        part.check()?;
        Component::from_binary(self.linker.engine(), part.bytes()).map_err(|error| {
            LoadError::Compile {
                name: part.name().to_owned(),
                reason: one_line(&error),
            }
        })
    }

    /// Links a component that [`Engine::compile`] compiled.
    ///
    /// # Safety
    /// As [`Component::deserialize`]: the bytes must be of a trusted origin.
    pub(crate) unsafe fn load_compiled(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<InstancePre<State>, LoadError> {
        // SAFETY: by the contract of this function.
        let component = unsafe { Component::deserialize(self.linker.engine(), bytes) };
        self.link_compiled(name, component)
    }

    /// Links a component in a file that [`Engine::compile`] compiled, and maps the file.
    ///
    /// # Safety
    /// As [`Component::deserialize_file`]: the file must be of a trusted origin, and must not change.
    pub(crate) unsafe fn load_compiled_file(
        &self,
        name: &str,
        path: &Path,
    ) -> Result<InstancePre<State>, LoadError> {
        // SAFETY: by the contract of this function.
        let component = unsafe { Component::deserialize_file(self.linker.engine(), path) };
        self.link_compiled(name, component)
    }

    fn link_compiled(
        &self,
        name: &str,
        component: wasmtime::Result<Component>,
    ) -> Result<InstancePre<State>, LoadError> {
        let component = component.map_err(|error| LoadError::Precompiled {
            name: name.to_owned(),
            reason: one_line(&error),
        })?;
        self.link_component(name, &component)
    }

    fn link_component(
        &self,
        name: &str,
        component: &Component,
    ) -> Result<InstancePre<State>, LoadError> {
        let name = || name.to_owned();
        let component_type = component.component_type();
        let imports = component_type
            .imports(self.linker.engine())
            .map(|(import, _)| import.to_owned());
        let imports: Vec<String> = imports
            .filter(|import| !is_provided_by_host(import))
            .collect();
        if let Some(first) = imports.first() {
            let provider = provider_of(first, &imports);
            return Err(LoadError::Incomplete {
                name: name(),
                imports,
                provider,
            });
        }
        self.linker
            .instantiate_pre(component)
            .map_err(|error| LoadError::Link {
                name: name(),
                reason: one_line(&error),
            })
    }

    /// Returns whether programs that compute without ever waiting can be ended.
    pub fn is_interruptible(&self) -> bool {
        self.interruptible
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        self.linker.engine()
    }
}

/// The reasons why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// wasmtime cannot work with these settings, or on this machine.
    #[error("wasmtime cannot be set up: {reason}")]
    Engine {
        /// wasmtime's message.
        reason: String,
    },
    /// The file cannot be read, or is not a component.
    #[error(transparent)]
    Part(#[from] ComposeError),
    /// The component is not valid, or uses features that wasmtime lacks.
    #[error("{} cannot be compiled: {reason}", Escaped(name))]
    Compile {
        /// The component.
        name: String,
        /// The compiler's message.
        reason: String,
    },
    /// The file was compiled by another program, with other settings, or for another machine.
    #[error(
        "{} was compiled for another program: {reason}; `streams compile` writes files for this one",
        Escaped(name)
    )]
    Precompiled {
        /// The compiled component.
        name: String,
        /// wasmtime's message.
        reason: String,
    },
    /// The component needs other components.
    #[error(
        "{} is not complete: it imports {}; compose it with {provider}",
        Escaped(name),
        Escaped(&imports.join(", "))
    )]
    Incomplete {
        /// The component.
        name: String,
        /// The imports that no host provides.
        imports: Vec<String>,
        /// A description of the provider of the first import.
        provider: &'static str,
    },
    /// The component imports an item of WASI that does not exist, or with other types.
    #[error("{} cannot be linked: {reason}", Escaped(name))]
    Link {
        /// The component.
        name: String,
        /// wasmtime's message.
        reason: String,
    },
    /// The component does not export the interface to use.
    #[error("{} does not export {wanted}{}", Escaped(name), Escaped(&exported(exports)))]
    Missing {
        /// The component.
        name: String,
        /// The missing export.
        wanted: &'static str,
        /// Its exports.
        exports: Vec<String>,
    },
}

fn exported(exports: &[String]) -> String {
    match exports {
        [] => ": it exports nothing".to_owned(),
        some => format!(": it exports {}", some.join(", ")),
    }
}

/// The whole chain of an error in one line. The text may quote the component.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let chain: Vec<String> = error.chain().map(|cause| cause.to_string()).collect();
    text::one_line(&chain.join(": "))
}

/// Reads a part for an engine.
pub(crate) fn read(path: impl AsRef<Path>) -> Result<Part, LoadError> {
    Ok(Part::read(path)?)
}
