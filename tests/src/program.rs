//! The program to run, and the place to run it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use crate::components::{self, Composed};
use crate::names::Names;
use crate::running::{Outcome, Running};
use crate::wasmtime_program::Runner;
use crate::{embedded, wasmtime_program};

/// Longer than any program takes on a slow and busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The place where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    /// In this process, with an event loop that also serves other calls (`run_concurrent`).
    Concurrent,
    /// In this process, as one call (`call_async`). When nothing can happen any more, the call ends with a trap. This
    /// finds a lost wake-up at once, which would hang in the other places.
    CallAsync,
    /// Under the program `wasmtime`.
    Wasmtime,
}

impl In {
    /// Every place: in this process both ways, and under the program `wasmtime` unless it is left out.
    pub fn every_place() -> Vec<Self> {
        let mut places = vec![In::Concurrent, In::CallAsync];
        places.extend(crate::wasmtime().map(|_| In::Wasmtime));
        places
    }

    /// Each host once, for tests that take long or that need an event loop for other calls.
    pub fn each_host() -> Vec<Self> {
        let mut places = Self::every_place();
        places.retain(|place| *place != In::CallAsync);
        places
    }
}

/// The part of the network that a program is granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// All of it: the programs use only loopback.
    #[default]
    All,
    /// Addresses, but no look-up of names.
    Addresses,
    /// Nothing.
    Nothing,
}

/// A program, composed with the streams component.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) name: String,
    parts: Vec<String>,
    pub(crate) args: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) wasmtime_options: Vec<String>,
    pub(crate) compiled_there: bool,
    pub(crate) network: Network,
    pub(crate) stdin: bool,
    pub(crate) deadline: Duration,
    pub(crate) max_handles: Option<usize>,
    pub(crate) names: Names,
}

impl Program {
    /// A program of `tests/programs` that runs by itself.
    pub fn new(name: &str) -> Self {
        Self::composed(name, vec![format!("tests/{name}")])
    }

    /// A program of `tests/programs` that contains the engine and is not composed.
    pub fn linked(name: &str) -> Self {
        let name = format!("linked/{name}");
        let mut program = Self::composed(&name, vec![name.clone()]);
        program.parts.retain(|part| part != "streams");
        program
    }

    /// A program of WASI 0.2, composed with the component whose calls block.
    pub fn blocking(name: &str) -> Self {
        Self::composed(name, vec![format!("tests/{name}")]).blocks()
    }

    /// A program of `tests/programs`, composed, in every place.
    pub fn composed_everywhere(name: &str) -> Vec<(Self, In)> {
        Self::composed_in(In::every_place(), name)
    }

    /// A program of `tests/programs`: composed in every place, and linked under `wasmtime`, or in this process without that.
    pub fn composed_and_linked(name: &str) -> Vec<(Self, In)> {
        let mut programs = Self::composed_everywhere(name);
        // Hosts run a linked program as any other: one of them is enough.
        let place = crate::wasmtime().map_or(In::CallAsync, |_| In::Wasmtime);
        programs.push((Self::linked(name), place));
        programs
    }

    /// The same for programs that take long or that need an event loop for other calls: composed on each host once, and linked
    /// in this process.
    pub fn on_each_host(name: &str) -> Vec<(Self, In)> {
        let mut programs = Self::composed_in(In::each_host(), name);
        programs.push((Self::linked(name), In::Concurrent));
        programs
    }

    fn composed_in(places: Vec<In>, name: &str) -> Vec<(Self, In)> {
        let places = places.into_iter();
        places.map(|place| (Self::new(name), place)).collect()
    }

    /// A program of `tests/programs` in every place: composed and linked as one of WASI 0.3, and compiled for WASI 0.2, under
    /// `wasmtime` also without support of concurrency. `tests/blocking-clients` must have it.
    pub fn everywhere(name: &str) -> Vec<(Self, In)> {
        [
            Self::composed_and_linked(name),
            Self::blocking_everywhere(name),
        ]
        .concat()
    }

    /// The same, only compiled for WASI 0.2.
    pub fn blocking_everywhere(name: &str) -> Vec<(Self, In)> {
        let blocking = Self::blocking("blocking_clients").args([name]);
        let mut all = vec![(blocking.clone(), In::CallAsync)];
        if crate::wasmtime().is_some() {
            all.push((blocking.clone(), In::Wasmtime));
            all.push((blocking.without_concurrency(), In::Wasmtime));
        }
        all
    }

    /// An example of such a program.
    pub fn blocking_example(name: &str) -> Self {
        Self::composed(name, vec![format!("examples/{name}")]).blocks()
    }

    fn blocks(mut self) -> Self {
        self.parts.retain(|part| part != "streams");
        self.parts.push("streams-p2".into());
        self
    }

    /// A handler of `tests/programs`, behind `serve.wasm`.
    pub fn handler(name: &str) -> Self {
        Self::composed(name, vec!["serve".into(), format!("tests/{name}")])
    }

    /// An example that runs by itself.
    pub fn example(name: &str) -> Self {
        Self::composed(name, vec![format!("examples/{name}")])
    }

    /// An example of a handler, behind `serve.wasm`.
    pub fn example_handler(name: &str) -> Self {
        Self::composed(name, vec!["serve".into(), format!("examples/{name}")])
    }

    /// A program in another language that runs by itself: `c/echo_client`. `None` when it was not built, with a
    /// message on standard error.
    ///
    /// # Panics
    /// When it was not built and `PEERS` in the environment is `required`.
    pub fn foreign(name: &str) -> Option<Self> {
        components::foreign(name).then(|| Self::composed(name, vec![name.into()]))
    }

    /// A program of WASI 0.2 in another language; `None` and panics as for [`foreign`](Self::foreign).
    pub fn foreign_blocking(name: &str) -> Option<Self> {
        Self::foreign(name).map(Self::blocks)
    }

    /// A handler in another language, behind `serve.wasm`; `None` and panics as for [`foreign`](Self::foreign).
    pub fn foreign_handler(name: &str) -> Option<Self> {
        let parts = vec!["serve".into(), name.into()];
        components::foreign(name).then(|| Self::composed(name, parts))
    }

    fn composed(name: &str, mut parts: Vec<String>) -> Self {
        parts.push("streams".into());
        Self {
            name: name.into(),
            parts,
            args: Vec::new(),
            variables: Vec::new(),
            wasmtime_options: Vec::new(),
            compiled_there: false,
            network: Network::default(),
            stdin: false,
            deadline: DEADLINE,
            max_handles: None,
            names: Names::new(),
        }
    }

    /// Composes it with the streams component that has TLS. A linked program is the one that contains TLS.
    #[must_use]
    pub fn tls(mut self) -> Self {
        for part in &mut self.parts {
            if part == "streams" || part == "streams-p2" {
                part.push_str("-tls");
            } else if let Some(name) = part.strip_prefix("linked/") {
                *part = format!("linked-tls/{name}");
            }
        }
        self
    }

    /// Adds arguments for the program itself.
    #[must_use]
    pub fn args<A: ToString>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.to_string()));
        self
    }

    /// Puts a variable into its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Grants a part of the network.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Connects a standard input that stays open until [`Running::close_stdin`]. The default is an empty one.
    #[must_use]
    pub fn stdin(mut self) -> Self {
        self.stdin = true;
        self
    }

    /// Sets the total time that it may take; the default is 60 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many handles its store may hold, in this process and under `wasmtime`.
    #[must_use]
    pub fn max_handles(mut self, handles: usize) -> Self {
        self.max_handles = Some(handles);
        self
    }

    /// Sets the addresses of a name, in this order; with such a name, no other one can be looked up. In this process
    /// only.
    #[must_use]
    pub fn name<A: Into<IpAddr>>(
        mut self,
        name: &str,
        addresses: impl IntoIterator<Item = A>,
    ) -> Self {
        let addresses = addresses.into_iter().map(Into::into).collect();
        self.names.insert(name.into(), addresses);
        self
    }

    /// Adds options of the program `wasmtime`. They have no effect in this process.
    #[must_use]
    pub fn wasmtime_options<A: ToString>(mut self, options: impl IntoIterator<Item = A>) -> Self {
        self.wasmtime_options
            .extend(options.into_iter().map(|option| option.to_string()));
        self
    }

    /// Makes `wasmtime` a host that knows nothing of WASI 0.3.
    #[must_use]
    pub fn without_concurrency(mut self) -> Self {
        // The options change what is compiled.
        self.compiled_there = true;
        self.wasmtime_options(["-Sp3=n", "-Wconcurrency-support=n"])
    }

    /// Runs it to its end.
    pub fn run(self, place: In) -> Outcome {
        self.start(place).wait()
    }

    /// Starts it.
    ///
    /// # Panics
    /// As all of these functions, when the test cannot continue: a component is missing or does not compose, or there
    /// is no program `wasmtime` and the test did not check that with [`wasmtime`](crate::wasmtime).
    pub fn start(self, place: In) -> Running {
        let composed = self.compose();
        match place {
            In::Concurrent | In::CallAsync => embedded::start(self, place, &composed),
            In::Wasmtime => {
                let wasmtime = wasmtime_program::wasmtime()
                    .expect("the program wasmtime, which this test needs");
                wasmtime_program::start(self, &composed, &Runner::Wasmtime(wasmtime))
            }
        }
    }

    /// Starts it under a program `wasmtime` of another version than the tests have, which compiles it by itself.
    ///
    /// # Panics
    /// When a component is missing or does not compose, or the program does not exist.
    pub fn start_by_older(mut self, wasmtime: &Path) -> Running {
        self.compiled_there = true;
        let composed = self.compose();
        wasmtime_program::start(self, &composed, &Runner::Wasmtime(wasmtime.to_owned()))
    }

    /// Starts it with `streams run`; `streams` is the command's file. Linear memory is not counted there, and names
    /// cannot have addresses.
    ///
    /// # Panics
    /// When a component is missing or does not compose, or the command does not exist.
    pub fn start_by(self, streams: &Path) -> Running {
        let composed = self.compose();
        wasmtime_program::start(self, &composed, &Runner::Streams(streams.to_owned()))
    }

    /// Starts it on Node, for programs of WASI 0.2; `script` is the file that runs them there. All of the network is granted, and
    /// linear memory is not counted.
    ///
    /// # Panics
    /// When a component is missing or does not compose, or Node does not exist.
    pub fn start_on_node(self, script: &Path) -> Running {
        let composed = self.compose();
        wasmtime_program::start(self, &composed, &Runner::Node(script.to_owned()))
    }

    /// The composed component.
    fn compose(&self) -> Composed {
        components::compose(&self.parts)
    }
}
