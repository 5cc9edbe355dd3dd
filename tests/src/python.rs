//! Programs in Python, each run unchanged in two ways: by the machine's CPython, and inside a component.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::components::target;
use crate::debian::or_say;
use crate::{process_state, wasmtime};

/// One of the two ways.
#[derive(Clone, Debug)]
pub enum Side {
    /// CPython with asyncio's own streams.
    Stock(PathBuf),
    /// The interpreter as a component, which gets the same file from `asyncio-streams run`; run by this `wasmtime`.
    Component(PathBuf),
}

/// Returns both ways, asyncio's own first.
///
/// `None` when there is no Python, or the components were not made; the reason is printed to standard error, which
/// the test runner does not capture. `cargo xtask test` makes them; `PYTHON` in the environment names the CPython,
/// `PYTHON_PROGRAMS` the components' folder.
///
/// # Panics
/// When they are not available and `PEERS` in the environment is `required`.
pub fn sides() -> Option<[Side; 2]> {
    let wasmtime = wasmtime()?;
    let python = env::var_os("PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 11))";
    let runs = Command::new(&python).args(["-c", new_enough]).status();
    let found = if !runs.is_ok_and(|status| status.success()) {
        Err(format!("{} is no Python 3.11 or later", python.display()))
    } else if fs::read_dir(folder()).is_err() {
        Err(format!(
            "there is no {}: `cargo xtask test` makes the components of Python programs",
            folder().display()
        ))
    } else {
        Ok([Side::Stock(python), Side::Component(wasmtime)])
    };
    or_say("Python", found)
}

/// The compiled component of a program that is built, and not only passed to an interpreter.
///
/// # Panics
/// When it was not made.
pub fn compiled(name: &str) -> PathBuf {
    made(&format!("{name}.cwasm"))
}

/// The component of a program before it was composed with the streams.
///
/// # Panics
/// When it was not made.
pub fn part(name: &str) -> PathBuf {
    made(&format!("{name}.part.wasm"))
}

/// The Python whose environment makes components.
pub fn tool() -> PathBuf {
    folder().join("../environment/bin/python")
}

/// The folder in which Python finds the package.
pub fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/python")
}

impl Side {
    /// The command that runs a program; its own arguments follow. `name` is that of the component: `echo-client`.
    pub fn command(&self, name: &str) -> Command {
        self.command_with(name, &[])
    }

    /// The same, with options for `wasmtime`.
    pub fn command_with(&self, name: &str, options: &[&str]) -> Command {
        let mut command = match self {
            Side::Stock(python) => {
                let mut command = Command::new(python);
                command.arg(source(name)).env("PYTHONUNBUFFERED", "1");
                command
            }
            Side::Component(wasmtime) => {
                let mut command = Command::new(wasmtime);
                command.args(["run", "--allow-precompiled"]);
                command.args(["-S", "inherit-network", "-S", "allow-ip-name-lookup"]);
                let folder = prepared(name);
                command.args(["--dir", &format!("{}::/.asyncio-streams", folder.display())]);
                command.args(options).arg(folder.join("interpreter.cwasm"));
                command
            }
        };
        process_state::set(&mut command);
        command
    }
}

/// The address in the output of servers in Python: `Serving on ('127.0.0.1', 8888)`.
pub fn serving_on(line: &str) -> Option<SocketAddr> {
    let pair = line.strip_prefix("Serving on ('")?;
    let (host, rest) = pair.split_once("', ")?;
    let port = rest.split(')').next()?;
    format!("{host}:{port}").parse().ok()
}

/// The file of a program.
///
/// # Panics
/// When there is no such program.
pub fn source(name: &str) -> PathBuf {
    let file = format!("{}.py", name.replace('-', "_"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    ["examples/python", "tests/python/programs"]
        .map(|folder| root.join(folder).join(&file))
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no program {file}"))
}

/// The folder with the interpreter and the files of a program.
fn prepared(name: &str) -> PathBuf {
    made(&format!("{name}/program")).with_file_name("")
}

fn made(file: &str) -> PathBuf {
    let path = folder().join(file);
    assert!(
        path.is_file(),
        "{}: `cargo xtask test` makes the components of Python programs",
        path.display()
    );
    path
}

fn folder() -> PathBuf {
    env::var_os("PYTHON_PROGRAMS").map_or_else(|| target().join("python/programs"), PathBuf::from)
}
