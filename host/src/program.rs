//! Running a composed program, as `wasmtime run` does.

mod compiled;
mod error;
mod stdio;

use std::path::Path;

use wasmtime::component::InstancePre;
use wasmtime::{Store, error::Context as _};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, p2, p3};

use crate::compose::Part;
use crate::engine::{Engine, LoadError, read};
use crate::limits::Limits;
use crate::network::Network;
use crate::state::State;

pub use error::RunError;
pub(crate) use error::cause;
pub use stdio::{Stdin, Stdout};

/// A command: a component that imports nothing but WASI, and exports `wasi:cli/run` of WASI 0.3 or 0.2.
///
/// It is compiled once, and can then run any number of times, also at once; each run has a memory and a network
/// of its own.
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    pre: InstancePre<State>,
    name: String,
    run: Run,
}

/// The version of `wasi:cli/run` that a program exports.
#[derive(Clone, Copy)]
enum Run {
    P2,
    P3,
}

impl Program {
    /// Compiles the program in a file.
    ///
    /// # Errors
    /// A [`LoadError`]: the file cannot be read, is no component, is not composed yet, or is no command.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::from_part(engine, &read(path)?)
    }

    /// Compiles a program from memory, such as [`compose`](crate::compose::compose) gives; `name` is for
    /// messages and for the program's own first argument.
    ///
    /// # Errors
    /// As [`Program::from_file`].
    pub fn from_bytes(
        engine: &Engine,
        name: impl Into<String>,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        Self::from_part(engine, &Part::new(name, bytes))
    }

    fn from_part(engine: &Engine, part: &Part) -> Result<Self, LoadError> {
        Self::from_linked(engine, part.name(), engine.load(part)?)
    }

    fn from_linked(
        engine: &Engine,
        name: &str,
        pre: InstancePre<State>,
    ) -> Result<Self, LoadError> {
        let component_type = pre.component().component_type();
        let exports = component_type
            .exports(engine.wasmtime())
            .map(|(export, _)| export.to_owned());
        let exports: Vec<String> = exports.collect();
        let has = |prefix: &str| exports.iter().any(|export| export.starts_with(prefix));
        let run = if has("wasi:cli/run@0.3.") {
            Run::P3
        } else if has("wasi:cli/run@0.2.") {
            Run::P2
        } else {
            return Err(LoadError::Missing {
                name: name.to_owned(),
                wanted: "wasi:cli/run",
                exports,
            });
        };
        Ok(Self {
            engine: engine.clone(),
            pre,
            name: name.to_owned(),
            run,
        })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A run of this program, to be set up and started.
    pub fn command(&self) -> Command {
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg(&self.name);
        Command {
            program: self.clone(),
            wasi,
            network: Network::none(),
            limits: Limits::default(),
            stdin: Stdin::empty(),
            stdout: Stdout::inherit(),
            stderr: Stdout::inherit(),
            fail_when_stuck: false,
        }
    }
}

/// One run of a [`Program`]. Unless told otherwise the program gets no arguments but its name, no environment, no
/// input, no network and no files; what it prints goes where the host prints.
#[must_use = "nothing runs before `run` or `output`"]
pub struct Command {
    program: Program,
    wasi: WasiCtxBuilder,
    network: Network,
    limits: Limits,
    stdin: Stdin,
    stdout: Stdout,
    stderr: Stdout,
    fail_when_stuck: bool,
}

impl Command {
    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<str>) -> Self {
        self.wasi.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        for arg in args {
            self.wasi.arg(arg);
        }
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.wasi.env(name, value);
        self
    }

    /// Grants a folder of the host, with all below it, to read and to write. The program finds it at the path `guest`.
    ///
    /// # Errors
    /// [`std::io::Error`] when there is no such folder, or it cannot be opened.
    pub fn dir(mut self, host: impl AsRef<Path>, guest: impl AsRef<str>) -> std::io::Result<Self> {
        self.wasi
            .preopened_dir(host, guest, FsPerms::ReadWrite)
            .map_err(|error| match error.downcast::<std::io::Error>() {
                Ok(error) => error,
                Err(error) => std::io::Error::other(error.to_string()),
            })?;
        Ok(self)
    }

    /// Grants a network. Without it the program has none.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Sets limits other than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the standard input.
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets the standard output.
    pub fn stdout(mut self, stdout: Stdout) -> Self {
        self.stdout = stdout;
        self
    }

    /// Sets the standard error output.
    pub fn stderr(mut self, stderr: Stdout) -> Self {
        self.stderr = stderr;
        self
    }

    /// Lets the run fail with [`RunError::Stuck`] as soon as nothing more can happen in it: no timer, no socket
    /// and no input is waited for, and the program has not returned. By default such a program waits for ever,
    /// as it does under `wasmtime run`. For tests; programs of WASI 0.2 do not wait in this way.
    pub fn fail_when_stuck(mut self, fail: bool) -> Self {
        self.fail_when_stuck = fail;
        self
    }

    /// Runs the program to its end.
    ///
    /// As under `wasmtime run`, what the program left running in the background ends when its `run` returns.
    ///
    /// Dropping the future ends the program at once: its connections are reset or closed by the system, and
    /// what it had queued is lost. So a deadline is `tokio::time::timeout` around this call; it cannot
    /// interrupt a program that computes without ever waiting, which also keeps the thread.
    ///
    /// # Errors
    /// A [`RunError`]: the program could not be started, or it trapped. An exit status other than 0 is not an
    /// error.
    pub async fn run(self) -> Result<ExitStatus, RunError> {
        let Self {
            program,
            mut wasi,
            network,
            limits,
            stdin,
            stdout,
            stderr,
            fail_when_stuck,
        } = self;
        stdin.apply(&mut wasi);
        stdout.apply_stdout(&mut wasi);
        stderr.apply_stderr(&mut wasi);
        let mut store = State::store(program.engine.wasmtime(), wasi, network, &limits);
        let result = match (program.run, fail_when_stuck) {
            (Run::P2, _) => program.run_p2(&mut store).await,
            (Run::P3, false) => program.run_p3(&mut store).await,
            (Run::P3, true) => program.call_p3(&mut store).await,
        };
        match result {
            Ok(Ok(())) => Ok(ExitStatus(0)),
            Ok(Err(())) => Ok(ExitStatus(1)),
            Err(error) => match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
                Some(exit) => Ok(ExitStatus(exit.0)),
                None => Err(RunError::new(
                    &program.name,
                    &error,
                    store.data().memory().refused(),
                )),
            },
        }
    }

    /// Runs the program to its end and gives what it printed: at most 64 MiB on each output, beyond which
    /// printing fails in the program.
    ///
    /// # Errors
    /// As [`Command::run`].
    pub async fn output(self) -> Result<Output, RunError> {
        let [stdout, stderr] = [stdio::Capture::new(), stdio::Capture::new()];
        let command = self.stdout(stdout.stdout()).stderr(stderr.stdout());
        let status = command.run().await?;
        Ok(Output {
            status,
            stdout: stdout.contents(),
            stderr: stderr.contents(),
        })
    }
}

impl Program {
    async fn run_p2(&self, store: &mut Store<State>) -> wasmtime::Result<Result<(), ()>> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let command = p2::bindings::Command::new(&mut *store, &instance)?;
        command.wasi_cli_run().call_run(store).await
    }

    /// The event loop runs for the whole time, so that background work goes on whatever `run` waits for.
    async fn run_p3(&self, store: &mut Store<State>) -> wasmtime::Result<Result<(), ()>> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let command = p3::bindings::Command::new(&mut *store, &instance)?;
        store
            .run_concurrent(async |store| command.wasi_cli_run().call_run(store).await)
            .await?
    }

    /// The same by one call that wasmtime gives up as soon as nothing is left to wait for.
    async fn call_p3(&self, store: &mut Store<State>) -> wasmtime::Result<Result<(), ()>> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let interface = instance.get_export_index(&mut *store, None, "wasi:cli/run@0.3.0");
        let run = instance
            .get_export_index(&mut *store, interface.as_ref(), "run")
            .context("no `run` is exported")?;
        let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, run)?;
        let (result,) = run.call_async(store, ()).await?;
        Ok(result)
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(i32);

impl ExitStatus {
    /// Was it 0?
    pub fn success(self) -> bool {
        self.0 == 0
    }

    /// The exit code: what the program gave to `exit`, or 1 when its `run` returned an error.
    pub fn code(self) -> i32 {
        self.0
    }
}

/// How a program ended, and what it printed.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed on the standard output.
    pub stdout: Vec<u8>,
    /// What it printed on the standard error output.
    pub stderr: Vec<u8>,
}
