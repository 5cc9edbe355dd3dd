//! Programs in Python, made into components, composed with the streams and compiled: each step only when something changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use asyncio_streams_host::compose::{Part, compose};

use super::{Python, VERSION, package_folder, place, write};
use crate::{checkout, process, tools};

/// Making or compiling one component takes ten seconds or so on two quiet cores.
const DEADLINE: Duration = Duration::from_secs(15 * 60);

/// A program in Python.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The file, from the folder of the checkout.
    pub(crate) file: PathBuf,
    /// More folders in which it finds modules.
    pub(crate) modules: Vec<PathBuf>,
}

impl Program {
    /// A program that needs nothing but its file.
    pub(crate) fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            modules: Vec::new(),
        }
    }

    fn name(&self) -> String {
        let name = self.file.file_stem().unwrap_or_default();
        name.to_string_lossy().replace('_', "-")
    }
}

/// Those that the tests need as components of their own. All others are given to an interpreter.
const COMPONENTS: [&str; 3] = ["echo_client", "echo_server", "http_headers"];

/// Prepares all others.
const PREPARE: &str = "tests/python/prepare.py";

/// The programs that become components of their own.
pub(crate) fn all() -> Vec<Program> {
    let program = |name| Program::new(format!("examples/python/{name}.py"));
    COMPONENTS.map(program).into()
}

/// Where the components are: `NAME.wasm`, composed, and `NAME.cwasm`, the same compiled.
pub(crate) fn folder() -> PathBuf {
    place().join("programs")
}

/// Makes components of programs.
pub(crate) struct Programs {
    python: Python,
    wasmtime: PathBuf,
}

impl Programs {
    /// With the tools that this takes; the project's own components are built.
    ///
    /// # Errors
    /// When there is no Python, or a tool cannot be had.
    pub(crate) fn get() -> Result<Self> {
        Ok(Self {
            python: Python::get()?,
            wasmtime: tools::WASMTIME.get()?,
        })
    }

    /// The program that runs them.
    pub(crate) fn wasmtime(&self) -> &Path {
        &self.wasmtime
    }

    /// All of these, two at a time: making a component takes one core, compiling it takes all. Then the interpreters, and what
    /// is given to them.
    ///
    /// # Errors
    /// The first failure.
    pub(crate) fn compile_all(&self, programs: &[Program]) -> Result<()> {
        self.compile_each(programs)?;
        let mut command = self.python.command();
        command.arg(checkout::root().join(PREPARE)).arg(folder());
        command.env("ASYNCIO_STREAMS_HOST", &self.wasmtime);
        command.env("ASYNCIO_STREAMS_CACHE", place().join("cache"));
        // It composes by `streams`, if that is built, else by this.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [tools::WAC.get()?.with_file_name("")];
        let folders = folders.into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders)?);
        process::run(&mut command, "preparing programs in Python", DEADLINE)
    }

    fn compile_each(&self, programs: &[Program]) -> Result<()> {
        let left = Mutex::new(programs.iter());
        let work = || -> Result<()> {
            loop {
                let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(program) = next else { return Ok(()) };
                self.compiled(program)?;
            }
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(work);
            let mine = work();
            let theirs = other
                .join()
                .unwrap_or_else(|_| bail!("making components panicked"));
            mine.and(theirs)
        })
    }

    /// The program as a compiled component, ready to run.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn compiled(&self, program: &Program) -> Result<PathBuf> {
        self.compiled_as(&program.name(), program)
    }

    /// The same by another name.
    pub(crate) fn compiled_as(&self, name: &str, program: &Program) -> Result<PathBuf> {
        let started = Instant::now();
        let file = |ending: &str| folder().join(format!("{name}.{ending}"));
        let (part, composed, compiled) = (file("part.wasm"), file("wasm"), file("cwasm"));
        let made = Stamp::of(&part, &self.made_of(program)?).renew(|| self.make(program, &part))?;
        let streams = checkout::components().join("streams.wasm");
        let parts = [part, streams];
        Stamp::of(&composed, &parts).renew(|| {
            let parts = parts
                .iter()
                .map(Part::read)
                .collect::<Result<Vec<_>, _>>()?;
            write(&composed, compose(parts)?.bytes())
        })?;
        let by = self.wasmtime.clone();
        let done = Stamp::of(&compiled, &[composed.clone(), by]).renew(|| {
            let mut command = checkout::clean(&self.wasmtime);
            command
                .arg("compile")
                .arg(&composed)
                .arg("-o")
                .arg(&compiled);
            process::run(&mut command, &format!("compiling {name}"), DEADLINE)
        })?;
        if made || done {
            let seconds = started.elapsed().as_secs_f64();
            println!("{} ({seconds:.1} s)", checkout::shown(&compiled));
        }
        Ok(compiled)
    }

    fn make(&self, program: &Program, part: &Path) -> Result<()> {
        fs::create_dir_all(folder())?;
        let mut command = self.python.command();
        command
            .args(["-m", "asyncio_streams.build"])
            .arg(&program.file);
        command.arg("-o").arg(part);
        for modules in &program.modules {
            command.arg("-p").arg(modules);
        }
        let what = format!("making a component of {}", program.file.display());
        process::run(&mut command, &what, DEADLINE)
    }

    /// All files that the component is made of.
    fn made_of(&self, program: &Program) -> Result<Vec<PathBuf>> {
        let mut files = vec![checkout::root().join(&program.file)];
        let package = package_folder().join("asyncio_streams");
        let wit = checkout::root().join("wit");
        for folder in [&package, &wit].into_iter().chain(&program.modules) {
            files_below(&checkout::root().join(folder), &mut files)?;
        }
        // Packages beside the program are part of it.
        let beside = files[0].parent().unwrap_or(Path::new("")).to_owned();
        let entries =
            fs::read_dir(&beside).with_context(|| format!("cannot read {}", beside.display()))?;
        for entry in entries {
            let path = entry?.path();
            let metadata = path.extension().is_some_and(|of| of == "dist-info");
            if metadata || path.join("__init__.py").is_file() {
                all_below(&path, &mut files)?;
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The sources below a folder.
fn files_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut found = Vec::new();
    all_below(folder, &mut found)?;
    files.extend(found.into_iter().filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "py" || extension == "wit")
    }));
    Ok(())
}

/// Everything below a folder but what Python has compiled.
fn all_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("__pycache__") {
            all_below(&path, files)?;
        }
    }
    Ok(())
}

/// What a file was made of, kept beside it.
struct Stamp {
    file: PathBuf,
    stamp: PathBuf,
    content: String,
}

impl Stamp {
    fn of(file: &Path, made_of: &[PathBuf]) -> Self {
        let mut hasher = DefaultHasher::new();
        VERSION.hash(&mut hasher);
        for source in made_of {
            source.hash(&mut hasher);
            fs::read(source).unwrap_or_default().hash(&mut hasher);
        }
        let mut stamp = file.as_os_str().to_owned();
        stamp.push(".stamp");
        Self {
            file: file.to_owned(),
            stamp: stamp.into(),
            content: format!("{:016x}", hasher.finish()),
        }
    }

    /// Makes the file anew unless it was made of the same. Whether it was.
    fn renew(&self, make: impl FnOnce() -> Result<()>) -> Result<bool> {
        let known = fs::read_to_string(&self.stamp).unwrap_or_default();
        if known == self.content && self.file.is_file() {
            return Ok(false);
        }
        let _ = fs::remove_file(&self.stamp);
        make()?;
        write(&self.stamp, self.content.as_bytes())?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_again_when_what_it_is_made_of_changes() {
        let folder = std::env::temp_dir().join(format!("xtask stamps {}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (source, file) = (folder.join("source"), folder.join("made"));
        let renew = || {
            let make = || write(&file, b"made");
            Stamp::of(&file, std::slice::from_ref(&source))
                .renew(make)
                .unwrap()
        };
        fs::write(&source, "one").unwrap();
        assert!(renew());
        assert!(!renew());
        fs::write(&source, "two").unwrap();
        assert!(renew());
        fs::remove_file(&file).unwrap();
        assert!(renew());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn components_are_named_as_commands_are() {
        assert_eq!(
            Program::new("examples/python/echo_client.py").name(),
            "echo-client"
        );
    }
}
