//! Finds components, composes them, and compiles the compositions.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::{env, fs, io};

use asyncio_streams_host::compose::{Part, compose as compose_parts};
use wasmtime::component::Component;
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, Result};

use crate::debian::or_say;

/// A composed program, shared by all tests of a process that use it.
pub(crate) type Composed = Arc<Composition>;

/// The bytes of a composed program, and its compiled form.
#[derive(Debug)]
pub(crate) struct Composition {
    /// The binary.
    pub(crate) bytes: Vec<u8>,
    pub(crate) name: String,
    compiled: OnceLock<Component>,
}

/// The folder of the built components: `COMPONENTS` in the environment, else `target/components`.
pub fn folder() -> PathBuf {
    env::var_os("COMPONENTS").map_or_else(|| target().join("components"), PathBuf::from)
}

/// Reads a component: `streams`, `serve`, `tests/NAME`, `linked/NAME` or `examples/NAME`.
///
/// # Panics
/// When it was not built.
pub fn component(name: &str) -> Vec<u8> {
    let file = folder().join(format!("{name}.wasm"));
    fs::read(&file).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. The components are built by `cargo xtask build --tests`",
            file.display()
        )
    })
}

/// Returns whether there is a component with TLS. Without one, tests that need it are left out, with a message.
///
/// # Panics
/// When there is none and `PEERS` in the environment is `required`.
pub fn tls() -> bool {
    if folder().join("streams-tls.wasm").is_file() {
        return true;
    }
    let reason = "there is no streams-tls.wasm, which takes clang to build";
    if env::var_os("PEERS").is_some_and(|peers| peers == "required") {
        panic!("PEERS=required, and {reason}");
    }
    // The test runner hides the output of the printing macros when a test passes.
    let _ = writeln!(io::stderr(), "LEFT OUT: {reason}");
    false
}

/// Returns the script that runs components of WASI 0.2 on Node. `None` when the automation did not install it, with a message
/// on standard error. `NODE_SCRIPT` in the environment names it.
///
/// # Panics
/// When there is none and `PEERS` in the environment is `required`.
pub fn node_script() -> Option<PathBuf> {
    let script =
        env::var_os("NODE_SCRIPT").map_or_else(|| target().join("js/run.js"), PathBuf::from);
    let found = script.is_file().then_some(script);
    let reason = "`cargo xtask javascript` installs it, where Node 20 and npm are";
    or_say("jco", found.ok_or_else(|| reason.into()))
}

/// Returns whether a component in another language was built.
pub(crate) fn foreign(name: &str) -> bool {
    let built = folder().join(format!("{name}.wasm")).is_file();
    let command = if name.starts_with("js/") {
        "javascript"
    } else {
        "languages"
    };
    let reason = format!("`cargo xtask {command}` makes it, where the language's tools are");
    or_say(name, built.then_some(()).ok_or(reason)).is_some()
}

/// Returns the program that makes bindings and artifacts, if it was built. Without it, tests that need it are left out, with
/// a message.
///
/// # Panics
/// When there is none and `PEERS` in the environment is `required`.
pub fn generator() -> Option<PathBuf> {
    let name = format!("asyncio-streams-generate{}", env::consts::EXE_SUFFIX);
    let program = target().join("quick").join(&name);
    let reason = "`cargo xtask languages` makes it";
    or_say(
        &name,
        program
            .is_file()
            .then_some(program)
            .ok_or_else(|| reason.into()),
    )
}

/// Composes components, each set once in a process. A single component is returned unchanged.
pub(crate) fn compose(names: &[String]) -> Composed {
    static KNOWN: LazyLock<Mutex<HashMap<String, Composed>>> = LazyLock::new(Mutex::default);
    let key = names.join("+");
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(composed) = known().get(&key) {
        return composed.clone();
    }
    let bytes = match names {
        [alone] => component(alone),
        names => {
            let parts = names
                .iter()
                .map(|name| Part::new(name.clone(), component(name)));
            let composition = compose_parts(parts).unwrap_or_else(|error| panic!("{key}: {error}"));
            composition.into_bytes()
        }
    };
    let composed = Arc::new(Composition {
        bytes,
        name: key.replace('/', "-"),
        compiled: OnceLock::new(),
    });
    known().entry(key).or_insert(composed).clone()
}

/// The engine that runs everything in this process, with the settings of the program `wasmtime`.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        Engine::new(&config).expect("an engine")
    });
    &ENGINE
}

/// A compiled empty component.
pub(crate) fn empty() -> Vec<u8> {
    let component =
        Component::new(engine(), b"\0asm\x0d\0\x01\0").expect("the empty component compiles");
    component.serialize().expect("it can be serialized")
}

impl Composition {
    /// The program, ready to run. The first call takes about a second.
    pub(crate) fn compiled(&self) -> &Component {
        self.compiled.get_or_init(|| {
            self.compile()
                .unwrap_or_else(|error| panic!("{} does not compile: {error:?}", self.name))
        })
    }

    /// The compiled program, in the form that the program `wasmtime` loads. Its version and settings are those of
    /// [`engine`].
    pub(crate) fn serialized(&self) -> Vec<u8> {
        let serialized = self.compiled().serialize();
        serialized.unwrap_or_else(|error| panic!("{}: {error:?}", self.name))
    }

    fn compile(&self) -> Result<Component> {
        let file = self.compiled_file()?;
        // SAFETY: this function wrote the files of that folder. A user who can change them can change this program as
        // well.
        if file.exists()
            && let Ok(component) = unsafe { Component::deserialize_file(engine(), &file) }
        {
            return Ok(component);
        }
        let component = Component::new(engine(), &self.bytes)?;
        // The file only saves time: a full disk is no reason to fail.
        let _ = keep(&file, &self.name, &component);
        Ok(component)
    }

    /// The file of the compiled program, which later runs of the tests reuse. Its name depends on the component and
    /// on the compiler.
    fn compiled_file(&self) -> Result<PathBuf> {
        let folder = target().join("tmp").join("compiled");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut hasher = DefaultHasher::new();
        self.bytes.hash(&mut hasher);
        engine().precompile_compatibility_hash().hash(&mut hasher);
        Ok(folder.join(format!("{}.{:016x}", self.name, hasher.finish())))
    }
}

/// Writes a compiled program, and removes all older ones of its name.
fn keep(file: &Path, name: &str, component: &Component) -> Result<()> {
    let folder = file.parent().context("a folder")?;
    let prefix = format!("{name}.");
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut fresh, &component.serialize()?)?;
    fresh.persist(file)?;
    Ok(())
}

pub(crate) fn target() -> PathBuf {
    let fallback = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    env::var_os("CARGO_TARGET_DIR").map_or_else(fallback, PathBuf::from)
}
