//! Running a composed program, as `wasmtime run` does.

mod error;
mod stdio;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use wasmtime::component::InstancePre;
use wasmtime::{Store, UpdateDeadline, error::Context as _};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, p2, p3};

use crate::compose::Part;
use crate::engine::{Engine, LoadError, one_line, read};
use crate::life::Watch;
use crate::limits::Limits;
use crate::network::Network;
use crate::signals::Signals;
use crate::sockets::Given;
use crate::state::State;

pub use error::RunError;
pub(crate) use error::cause;
pub use stdio::{Stdin, Stdout};

/// A command: a component that imports nothing but WASI, and exports `wasi:cli/run` of WASI 0.3 or 0.2.
///
/// It is compiled once, and can then run any number of times, also at once; each run has its own memory and network.
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
    /// A [`LoadError`]: the file cannot be read, is not a component, is not composed yet, or is not a command.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::from_part(engine, &read(path)?)
    }

    /// Compiles a program from memory, such as the result of [`compose`](crate::compose::compose). `name` is for
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

    /// Loads a program that [`Engine::compile`] compiled, in a few milliseconds.
    ///
    /// # Errors
    /// As [`Program::from_file`], and [`LoadError::Precompiled`] if it was compiled by another version of wasmtime or with
    /// other settings.
    ///
    /// # Safety
    /// The bytes are machine code in wasmtime's own format. They must come from [`Engine::compile`] and must not have
    /// been changed since: anyone who can change them can make this process do anything.
    pub unsafe fn from_compiled(
        engine: &Engine,
        name: impl Into<String>,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        let name = name.into();
        // SAFETY: by the contract of this function.
        let pre = unsafe { engine.load_compiled(&name, bytes)? };
        Self::from_pre(engine, name, pre)
    }

    /// Loads a program from a file that contains the output of [`Engine::compile`]. The system maps the file and reads
    /// only the parts that the program uses: a start takes a quarter of the time of [`Program::from_compiled`].
    ///
    /// # Errors
    /// As [`Program::from_compiled`], also for a file that cannot be read.
    ///
    /// # Safety
    /// As [`Program::from_compiled`]. Also, the file must not change as long as a clone of the program exists, because
    /// the program would run changed code. Another file may replace it.
    pub unsafe fn from_compiled_file(
        engine: &Engine,
        path: impl AsRef<Path>,
    ) -> Result<Self, LoadError> {
        let name = path.as_ref().to_string_lossy().into_owned();
        // SAFETY: by the contract of this function.
        let pre = unsafe { engine.load_compiled_file(&name, path.as_ref())? };
        Self::from_pre(engine, name, pre)
    }

    fn from_part(engine: &Engine, part: &Part) -> Result<Self, LoadError> {
        Self::from_pre(engine, part.name().to_owned(), engine.load(part)?)
    }

    fn from_pre(engine: &Engine, name: String, pre: InstancePre<State>) -> Result<Self, LoadError> {
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
                name,
                wanted: "wasi:cli/run",
                exports,
            });
        };
        Ok(Self {
            engine: engine.clone(),
            pre,
            name,
            run,
        })
    }

    /// The name that messages use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Prepares a run of this program.
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
            signals: Signals::new(),
            fail_when_stuck: false,
            given: Vec::new(),
            watch: None,
            memory: None,
        }
    }

    /// Returns whether it is a program of WASI 0.3, whose sockets are the host's own.
    #[cfg(feature = "serve")]
    pub(crate) fn is_p3(&self) -> bool {
        matches!(self.run, Run::P3)
    }

    #[cfg(feature = "serve")]
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// One run of a [`Program`]. By default the program has no arguments but its name, no environment, no input and no
/// network, and it prints where the host prints.
///
/// It has no files but those in the folders that [`dir`](Command::dir) and [`read_dir`](Command::read_dir) grant.
#[must_use = "nothing runs before `run` or `output`"]
pub struct Command {
    program: Program,
    wasi: WasiCtxBuilder,
    network: Network,
    limits: Limits,
    stdin: Stdin,
    stdout: Stdout,
    stderr: Stdout,
    signals: Signals,
    fail_when_stuck: bool,
    given: Vec<Given>,
    watch: Option<Watch>,
    memory: Option<Arc<AtomicUsize>>,
}

impl Command {
    /// Passes a listener of the host to the program.
    #[cfg(feature = "serve")]
    pub(crate) fn give(mut self, given: Given) -> Self {
        self.given.push(given);
        self
    }

    /// Watches the run for signs of life.
    #[cfg(feature = "serve")]
    pub(crate) fn watch(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Counts the memory of the run in `bytes` as well; runs may share `bytes`.
    #[cfg(feature = "serve")]
    pub(crate) fn count_memory(mut self, bytes: Arc<AtomicUsize>) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Lets the program read and write in the folder `host`, which the program sees as `guest`.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn dir(self, host: impl AsRef<Path>, guest: impl AsRef<str>) -> Result<Self, RunError> {
        self.folder(host.as_ref(), guest.as_ref(), FsPerms::ReadWrite)
    }

    /// Lets the program read in the folder `host`, which the program sees as `guest`.
    ///
    /// # Errors
    /// As [`Command::dir`].
    pub fn read_dir(
        self,
        host: impl AsRef<Path>,
        guest: impl AsRef<str>,
    ) -> Result<Self, RunError> {
        self.folder(host.as_ref(), guest.as_ref(), FsPerms::ReadOnly)
    }

    fn folder(mut self, host: &Path, guest: &str, may: FsPerms) -> Result<Self, RunError> {
        match self.wasi.preopened_dir(host, guest, may) {
            Ok(_) => Ok(self),
            Err(error) => Err(RunError::Folder {
                folder: host.display().to_string(),
                reason: one_line(&error),
            }),
        }
    }

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

    /// Grants a network. The default is none.
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

    /// Tells the program of the signals that are sent by `signals`. By default it is told of none.
    pub fn signals(mut self, signals: Signals) -> Self {
        self.signals = signals;
        self
    }

    /// Makes the run fail with [`RunError::Stuck`] as soon as nothing more can happen in it: it waits for no timer,
    /// socket or input, and has not returned. By default such a program waits for ever, as under `wasmtime run`. For
    /// tests; it has no effect on programs of WASI 0.2.
    pub fn fail_when_stuck(mut self, fail: bool) -> Self {
        self.fail_when_stuck = fail;
        self
    }

    /// Runs the program to its end.
    ///
    /// As under `wasmtime run`, background work of the program ends when its `run` returns.
    ///
    /// Dropping the future ends the program at once: the system resets or closes its connections, and its queued
    /// output is lost. A deadline is therefore `tokio::time::timeout` around this call. It cannot interrupt a program
    /// that computes without ever waiting, which also keeps the thread.
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
            signals,
            fail_when_stuck,
            given,
            watch,
            memory,
        } = self;
        stdin.apply(&mut wasi);
        stdout.apply_stdout(&mut wasi);
        stderr.apply_stderr(&mut wasi);
        let mut store = State::store(program.engine.wasmtime(), wasi, network, &limits);
        store.data_mut().set_signals(signals);
        for given in given {
            store.data_mut().give(given);
        }
        if let Some(memory) = memory {
            store.data_mut().count_memory(memory);
        }
        if let Some(watch) = &watch {
            interrupt_when_stuck(&mut store, watch);
        }
        let result = match (program.run, fail_when_stuck) {
            (Run::P2, _) => program.run_p2(&mut store).await,
            (Run::P3, false) => program.run_p3(&mut store, watch).await,
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

    /// Runs the program to its end and returns its output: at most 64 MiB on each output, beyond which printing
    /// fails in the program.
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

    /// Runs the event loop for the whole time, so that background work continues while `run` waits.
    async fn run_p3(
        &self,
        store: &mut Store<State>,
        watch: Option<Watch>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let command = p3::bindings::Command::new(&mut *store, &instance)?;
        store
            .run_concurrent(async |store| {
                let call = command.wasi_cli_run().call_run(store);
                match watch {
                    None => call.await,
                    Some(watch) => alive(call, &watch).await,
                }
            })
            .await?
    }

    /// Does the same by one call, which wasmtime ends as soon as there is nothing left to wait for.
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

/// Awaits `call`, and records a sign of life whenever the event loop runs. It does not run while the program
/// computes.
async fn alive<T>(call: impl Future<Output = T>, watch: &Watch) -> T {
    let mut call = std::pin::pin!(call);
    let mut beats = tokio::time::interval(watch.interval);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    std::future::poll_fn(|cx| {
        while beats.poll_tick(cx).is_ready() {
            watch.life.beat(watch.interval);
        }
        call.as_mut().poll(cx)
    })
    .await
}

/// Ends a program whose event loop has not run for too long. Until then each tick of the epoch lets the other tasks
/// of the thread run.
fn interrupt_when_stuck(store: &mut Store<State>, watch: &Watch) {
    let Some(limit) = watch.limit else {
        return;
    };
    let life = Arc::clone(&watch.life);
    store.epoch_deadline_callback(move |_| {
        if life.silent_for() <= limit {
            return Ok(UpdateDeadline::Yield(1));
        }
        life.set_stuck();
        Err(wasmtime::Error::msg(format!(
            "it computed for more than {limit:?} without waiting"
        )))
    });
    store.set_epoch_deadline(1);
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(i32);

impl ExitStatus {
    /// Returns whether it was 0.
    pub fn success(self) -> bool {
        self.0 == 0
    }

    /// The exit code: the argument of `exit`, or 1 when `run` returned an error.
    pub fn code(self) -> i32 {
        self.0
    }
}

/// The exit status of a program, and what it printed.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// The standard output.
    pub stdout: Vec<u8>,
    /// The standard error output.
    pub stderr: Vec<u8>,
}
