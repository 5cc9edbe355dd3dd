//! Loads programs from files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use asyncio_streams_host::compose::{Part, compose};
use asyncio_streams_host::{Engine, Escaped, LoadError, Program};
use clap::Args;

/// The largest memory that is compiled as one image, which is mapped at each start. Otherwise wasmtime copies the data of a memory
/// that is mostly empty and larger than 16 MiB, such as the snapshot of an interpreter.
const LARGEST_IMAGE: u64 = 256 << 20;

/// How a compiled file is loaded.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    /// It is mapped, which is fast. It must not be overwritten while the program runs.
    Mapped,
    /// It is read. A server runs for long, and its file may be overwritten before a reload.
    Copied,
}

/// Options about loading a program.
#[derive(Args, Clone)]
pub(crate) struct Loading {
    /// Compose the program with this part first, such as streams.wasm. May be repeated.
    #[arg(long, value_name = "PART.wasm")]
    with: Vec<PathBuf>,

    /// Keep compiled programs in this folder, by their content; `off` compiles each time. Anyone who can write there
    /// can make this program do anything. The default is asyncio-streams/compiled in the user's cache folder.
    #[arg(long, value_name = "DIR|off")]
    cache: Option<PathBuf>,
}

impl Loading {
    /// Returns the program in `file`, and the engine for it. The engine can interrupt programs if `interruptible` is set,
    /// or if the file was compiled for such an engine.
    pub(crate) fn open(
        &self,
        file: &Path,
        interruptible: bool,
        access: Access,
    ) -> anyhow::Result<(Engine, Program)> {
        let engine = self.engine(interruptible)?;
        let failed = match self.program(&engine, file, access) {
            Ok(program) => return Ok((engine, program)),
            Err(failed) => failed,
        };
        if !matches!(failed.downcast_ref(), Some(LoadError::Precompiled { .. })) {
            return Err(failed);
        }
        let engine = self.engine(!interruptible)?;
        let Ok(program) = self.program(&engine, file, access) else {
            return Err(failed);
        };
        if interruptible {
            anyhow::bail!(
                "{} was compiled with `--uninterruptible`, so it cannot be ended when it computes too long: compile it without \
                 that option, or set `--stuck-timeout off`",
                Escaped(&file.to_string_lossy())
            );
        }
        Ok((engine, program))
    }

    /// Returns an engine with the cache of the options.
    pub(crate) fn engine(&self, interruptible: bool) -> anyhow::Result<Engine> {
        let mut config = wasmtime::Config::new();
        config.cache(self.open_cache()?);
        config.memory_guaranteed_dense_image_size(LARGEST_IMAGE);
        Ok(match interruptible {
            true => Engine::interruptible(config)?,
            false => Engine::with_config(&config)?,
        })
    }

    /// Returns the program in `file`, composed with the parts.
    pub(crate) fn program(
        &self,
        engine: &Engine,
        file: &Path,
        access: Access,
    ) -> anyhow::Result<Program> {
        let name = file.to_string_lossy();
        if is_compiled(file) {
            if !self.with.is_empty() {
                anyhow::bail!(
                    "{} is compiled: nothing can be composed with it",
                    Escaped(&name)
                );
            }
            // SAFETY: the user chose to run this file, like any other program of the system; the documentation
            // requires a trusted origin, and that a mapped file is replaced instead of overwritten.
            return Ok(unsafe {
                match access {
                    Access::Mapped => Program::from_compiled_file(engine, file)?,
                    Access::Copied => Program::from_compiled(engine, name, &read(file)?)?,
                }
            });
        }
        if self.with.is_empty() {
            return Ok(Program::from_file(engine, file)?);
        }
        Ok(Program::from_bytes(engine, name, &self.compose(file)?)?)
    }

    /// Returns the bytes of `file`, composed with the parts.
    pub(crate) fn compose(&self, file: &Path) -> anyhow::Result<Vec<u8>> {
        let first = Part::read(file)?;
        if self.with.is_empty() {
            return read(file);
        }
        let parts = std::iter::once(Ok(first)).chain(self.with.iter().map(Part::read));
        Ok(compose(parts.collect::<Result<Vec<_>, _>>()?)?
            .bytes()
            .to_vec())
    }

    fn open_cache(&self) -> anyhow::Result<Option<wasmtime::Cache>> {
        let folder = match &self.cache {
            Some(folder) if folder.as_os_str() == "off" => return Ok(None),
            Some(folder) => folder.clone(),
            None => match default_cache() {
                Some(folder) => folder,
                None => return Ok(None),
            },
        };
        let opened = private_folder(&folder).and_then(|folder| {
            let mut config = wasmtime::CacheConfig::new();
            config.with_directory(folder);
            wasmtime::Cache::new(config).map_err(std::io::Error::other)
        });
        match (opened, &self.cache) {
            (Ok(cache), _) => Ok(Some(cache)),
            (Err(error), Some(folder)) => {
                let folder = folder.to_string_lossy();
                Err(error).with_context(|| format!("cannot use the cache {}", Escaped(&folder)))
            }
            // The default cache only saves time, so its failure is ignored.
            (Err(_), None) => Ok(None),
        }
    }
}

/// Makes the folder if it does not exist, for this user only.
fn private_folder(folder: &Path) -> std::io::Result<PathBuf> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    folder.canonicalize()
}

fn default_cache() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let caches = match variable("XDG_CACHE_HOME") {
        Some(caches) => PathBuf::from(caches),
        None => PathBuf::from(variable("HOME")?).join(".cache"),
    };
    // wasmtime removes all unknown files from its cache, so it gets a folder for itself.
    Some(caches.join("asyncio-streams/compiled"))
}

/// Returns whether the file was written by `streams compile`; such a file is not WebAssembly.
fn is_compiled(file: &Path) -> bool {
    matches!(wasmtime::Engine::detect_precompiled_file(file), Ok(Some(_)))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let name = file.to_string_lossy();
    std::fs::read(file).with_context(|| format!("cannot read {}", Escaped(&name)))
}
