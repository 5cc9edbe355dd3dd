//! Runs a program in a separate process, as users do: under the program `wasmtime`, with `streams run`, or on Node.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;
use std::{env, fs, io};

use crate::components::{self, Composed};
use crate::output::Output;
use crate::process_state;
use crate::program::{Network, Program};
use crate::running::{Exit, Process, Running, Stdin};

/// The program `wasmtime`: the one that `WASMTIME` names, else the first on PATH.
///
/// `None` when `WASMTIME` is `skip`: tests that need it are left out then, with a message.
pub fn wasmtime() -> Option<PathBuf> {
    let named = env::var_os("WASMTIME").unwrap_or_else(|| "wasmtime".into());
    if named == "skip" {
        eprintln!(
            "LEFT OUT, since WASMTIME=skip: this part of the test runs under the wasmtime program"
        );
        return None;
    }
    Some(named.into())
}

/// A command that runs programs.
pub(crate) enum Runner {
    /// The program `wasmtime`.
    Wasmtime(PathBuf),
    /// The program `streams`.
    Streams(PathBuf),
    /// Node, with the script that runs components of WASI 0.2.
    Node(PathBuf),
}

impl Runner {
    /// The command that runs a program, up to the program's file.
    fn command(&self, program: &Program) -> Command {
        let mut command = Command::new(match self {
            Runner::Wasmtime(file) | Runner::Streams(file) => file.as_path(),
            Runner::Node(_) => Path::new("node"),
        });
        match self {
            Runner::Wasmtime(_) => command.arg("run").args(options(program)),
            Runner::Streams(_) => command.arg("run").args(options_of_streams(program)),
            Runner::Node(script) => command
                .arg(script)
                .envs(program.variables.iter().map(|(name, value)| (name, value))),
        };
        command
    }
}

pub(crate) fn start(program: Program, composed: &Composed, runner: &Runner) -> Running {
    let mut file = tempfile::Builder::new()
        .suffix(".wasm")
        .tempfile()
        .expect("a temporary file");
    let content = match runner {
        // Compile once for all places. The README's commands are tested with components that are not compiled.
        Runner::Wasmtime(wasmtime) if program.compiled_there => {
            compiled_by(wasmtime, &program.wasmtime_options, composed)
        }
        Runner::Wasmtime(wasmtime) if takes_compiled(wasmtime) => composed.serialized(),
        _ => composed.bytes.clone(),
    };
    file.write_all(&content).expect("the program, written");
    let file = file.into_temp_path();
    let mut command = runner.command(&program);
    command.arg(&file).args(&program.args);
    command.stdin(if program.stdin {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    process_state::set(&mut command);
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!(
            "{:?}: {error}. WASMTIME in the environment names the wasmtime program, or `skip` to do without",
            command.get_program()
        )
    });
    let (stdout, stderr) = (Output::default(), Output::default());
    let readers = [
        copy(child.stdout.take().expect("its standard output"), &stdout),
        copy(child.stderr.take().expect("its standard error"), &stderr),
    ];
    let stdin = child.stdin.take().map(Stdin::Child);
    let id = child.id();
    let child = Arc::new(Mutex::new(child));
    let (ended, exit) = mpsc::channel();
    let (process, errors) = (child.clone(), stderr.clone());
    thread::spawn(move || {
        for reader in readers {
            // The readers end with the program, which closes its outputs.
            let _ = reader.join();
        }
        let status = process.lock().expect("the process").wait();
        // Without a receiver the program was stopped.
        let _ = ended.send(exit_of(status, &errors));
    });
    Running {
        name: program.name,
        deadline: Instant::now() + program.deadline,
        stdout,
        stderr,
        exit,
        stdin,
        process: Process::Child {
            id,
            child,
            _file: file,
        },
    }
}

/// Has the program `wasmtime` compile a component with its options, once in a process.
fn compiled_by(wasmtime: &Path, options: &[String], composed: &Composed) -> Vec<u8> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Vec<u8>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = format!("{} {}", composed.name, options.join(" "));
    let compile = || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [from, to] = ["component.wasm", "compiled"].map(|name| folder.path().join(name));
        fs::write(&from, &composed.bytes).expect("the program, written");
        let mut command = Command::new(wasmtime);
        command
            .arg("compile")
            .args(options)
            .arg(&from)
            .arg("-o")
            .arg(&to);
        let output = command.output().expect("the program wasmtime runs");
        assert!(
            output.status.success(),
            "{key}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::read(&to).expect("the compiled program")
    };
    if let Some(compiled) = known.get(&key) {
        return compiled.clone();
    }
    let compiled = compile();
    known.insert(key, compiled.clone());
    compiled
}

/// Returns whether the program runs components that this process compiles: it does if its compiler has the same
/// settings.
fn takes_compiled(wasmtime: &Path) -> bool {
    static TAKES: OnceLock<bool> = OnceLock::new();
    *TAKES.get_or_init(|| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(&components::empty())
            .expect("the empty program, written");
        let mut command = Command::new(wasmtime);
        command
            .args(["run", "--allow-precompiled"])
            .arg(file.path());
        let output = command.output().expect("the program wasmtime runs");
        // It has nothing to run. Different settings are reported before that.
        !String::from_utf8_lossy(&output.stderr).contains("was compiled")
    })
}

fn options(program: &Program) -> Vec<String> {
    let mut options = vec!["--allow-precompiled".to_owned()];
    options.extend(program.wasmtime_options.clone());
    let network = match program.network {
        Network::All => &["-Sinherit-network", "-Sallow-ip-name-lookup"][..],
        Network::Addresses => &["-Sinherit-network"],
        Network::Nothing => &[],
    };
    options.extend(network.iter().map(ToString::to_string));
    let variables = program.variables.iter();
    options.extend(variables.map(|(name, value)| format!("--env={name}={value}")));
    options.extend(
        program
            .max_handles
            .map(|handles| format!("-Smax-component-handles={handles}")),
    );
    options
}

/// The options of `streams run` in place of those above. It grants names along with addresses.
fn options_of_streams(program: &Program) -> Vec<String> {
    let mut options = Vec::new();
    if program.network != Network::Nothing {
        options.push("--allow-network".to_owned());
    }
    let variables = program.variables.iter();
    options.extend(variables.map(|(name, value)| format!("--env={name}={value}")));
    options.extend(
        program
            .max_handles
            .map(|handles| format!("--max-handles={handles}")),
    );
    options
}

fn copy(mut from: impl Read + Send + 'static, to: &Output) -> JoinHandle<()> {
    let to = to.clone();
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            to.push(&buffer[..n]);
        }
        to.end();
    })
}

/// The kind of exit according to the status. A trap has a status of its own.
fn exit_of(status: io::Result<ExitStatus>, stderr: &Output) -> Exit {
    match status {
        Ok(status) if status.success() => Exit::Success,
        Ok(status)
            if status.code() == Some(1) && !stderr.text().contains("failed to run main module") =>
        {
            Exit::Failure
        }
        Ok(status) => Exit::Trap(format!("{status}; the reason is on standard error")),
        Err(error) => Exit::Trap(error.to_string()),
    }
}
