//! Programs of Debian's packages. An installed one is used; otherwise the package is downloaded and unpacked into
//! `target/peers`, and never installed, so that no service starts.

mod packages;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

use crate::native::{self, NativeServer};

/// Enough for a slow mirror.
const DEADLINE: Duration = Duration::from_secs(180);

/// A program, and where it was found.
#[derive(Clone, Debug)]
pub struct Found {
    program: PathBuf,
    /// The folder in which its package was unpacked; `None` for an installed program.
    root: Option<PathBuf>,
}

impl Found {
    /// Finds a program on PATH, or in the package named.
    ///
    /// `None` when it is not available; the reason is printed to standard error, which the test runner does not
    /// capture.
    ///
    /// # Panics
    /// When it is not available and `PEERS` in the environment is `required`.
    pub fn get(package: &str, program: &str) -> Option<Self> {
        if let Some(program) = installed(program) {
            return Some(Self {
                program,
                root: None,
            });
        }
        let found = packages::unpacked(package).and_then(|root| {
            let folders = ["usr/bin", "usr/sbin", "bin", "sbin"].map(|folder| root.join(folder));
            let mut files = folders.into_iter().map(|folder| folder.join(program));
            let found = files.find(|file| file.is_file());
            let program = found.ok_or_else(|| format!("its package has no program {program}"))?;
            Ok(Self {
                program,
                root: Some(root),
            })
        });
        or_say(package, found)
    }

    /// Finds a program on PATH, for one that does not run from an unpacked package. `None` and panics as for
    /// [`get`](Self::get); the message includes `remedy`.
    pub fn on_path(program: &str, remedy: &str) -> Option<Self> {
        let found = installed(program).map(|program| Self {
            program,
            root: None,
        });
        let reason = || format!("there is none on PATH; {remedy}");
        or_say(program, found.ok_or_else(reason))
    }

    /// Finds a Python that has a module, installed or in the package named. `None` and panics as for [`get`](Self::get).
    pub fn python(package: &str, module: &str) -> Option<Self> {
        // Debian's modules need Debian's Python.
        let debian = Some(PathBuf::from("/usr/bin/python3")).filter(|python| python.is_file());
        let Some(program) = debian.or_else(|| installed("python3")) else {
            return or_say(package, Err("there is no python3".into()));
        };
        let python = Self {
            program,
            root: None,
        };
        let import = ["-c".to_owned(), format!("import {module}")];
        if native::output(python.command().args(&import), DEADLINE).is_ok() {
            return Some(python);
        }
        let found = packages::unpacked(package).and_then(|root| {
            let python = Self {
                root: Some(root),
                ..python
            };
            native::output(python.command().args(&import), DEADLINE)?;
            Ok(python)
        });
        or_say(package, found)
    }

    /// Starts it as a Redis server on loopback that keeps nothing, with `folder` as its own.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn serve_redis(&self, folder: &Path) -> NativeServer {
        NativeServer::start(|port| {
            let mut command = self.command();
            let port = port.to_string();
            command.args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--save",
                "",
                "--dir",
            ]);
            command.arg(folder);
            command
        })
    }

    /// The command that runs it, with its package's libraries.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(root) = &self.root {
            let libraries = ["lib", "usr/lib"]
                .into_iter()
                .flat_map(|folder| folders_of(&root.join(folder)));
            command.env(
                "LD_LIBRARY_PATH",
                env::join_paths(libraries).unwrap_or_default(),
            );
            command.env("PYTHONPATH", root.join("usr/lib/python3/dist-packages"));
        }
        command
    }
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

pub(crate) fn or_say<T>(package: &str, found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(reason) if env::var_os("PEERS").is_some_and(|peers| peers == "required") => {
            panic!("PEERS=required, and the peer {package} cannot be had: {reason}")
        }
        Err(reason) => {
            // The test runner hides the output of the printing macros when a test passes.
            let _ = writeln!(
                io::stderr(),
                "LEFT OUT, since the peer {package} cannot be had: {reason}"
            );
            None
        }
    }
}

fn folders_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}
