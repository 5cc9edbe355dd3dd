use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use asyncio_streams_host::compose::{Part, compose};
use asyncio_streams_host::{
    Denied, Endpoint, Engine, Escaped, Limits, Network, Program, RunError, Stdin,
};
use clap::Args;

use crate::input::Input;

/// So many different things that were denied are told.
const DENIALS: usize = 100;

#[derive(Args)]
pub(crate) struct Run {
    /// Let the program connect to this host and port; `*` is any. IPv6 addresses stand in brackets, names may be of
    /// any alphabet. There are no networks such as 10.0.0.0/8 and no patterns. May be repeated.
    #[arg(long, value_name = "HOST:PORT")]
    allow_connect: Vec<Endpoint>,

    /// Let the program listen on this address and port; `*` is any, and port 0 is a free one that the system
    /// chooses. A local address or port of its own choice to connect from has to be granted here as well (an
    /// address alone with port 0). May be repeated.
    #[arg(long, value_name = "ADDR:PORT")]
    allow_listen: Vec<Endpoint>,

    /// Let the program do on the network whatever this process may.
    #[arg(long, conflicts_with_all = ["allow_connect", "allow_listen"])]
    allow_network: bool,

    /// Set an environment variable; the program sees no others. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,

    /// Let the program read and write this folder, which it finds under the same path or at GUEST. May be repeated.
    #[arg(long, value_name = "HOST[::GUEST]", value_parser = folder)]
    dir: Vec<(String, String)>,

    /// Take a program that `streams compile` has made. It is machine code and runs without any check: it must be a
    /// file of your own.
    #[arg(long, conflicts_with = "with")]
    allow_precompiled: bool,

    /// Compose the program with this part first, such as streams.wasm. May be repeated.
    #[arg(long, value_name = "PART.wasm")]
    with: Vec<PathBuf>,

    #[arg(long, value_name = "N", default_value_t = Limits::default().max_handles, help = max_handles())]
    max_handles: usize,

    /// When the program traps, show the calls that led there.
    #[arg(short, long)]
    verbose: bool,

    /// The program, and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_names = ["APP.wasm", "ARGS"])]
    program: Vec<String>,
}

impl Run {
    pub(crate) fn execute(self) -> anyhow::Result<ExitCode> {
        let (file, args) = self.program.split_first().context("no program is given")?;
        let program = match self.allow_precompiled {
            // SAFETY: with this option the user says that it may run unchecked.
            true => unsafe { Program::from_compiled_file(&Engine::new()?, file) }?,
            false => load(file, &self.with)?,
        };
        // The program runs in this thread; signals come in through another one even while it computes.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.context("cannot start the tokio runtime")?;
        let mut command = program
            .command()
            .args(args)
            .network(self.network())
            .limits(Limits::new().max_handles(self.max_handles));
        for (name, value) in &self.env {
            command = command.env(name, value);
        }
        for (host, guest) in &self.dir {
            command = command
                .dir(host, guest)
                .with_context(|| format!("cannot open the folder {}", Escaped(host)))?;
        }
        let input = Input::new();
        let command = command.stdin(Stdin::stream(input.clone()));
        let result = runtime.block_on(async {
            tokio::spawn(input.close_on_signals());
            command.run().await
        });
        // A thread may still wait for input that nobody wants any more.
        runtime.shutdown_background();
        match result {
            // As far as the system has room for it.
            Ok(status) => Ok(ExitCode::from(
                u8::try_from(status.code()).unwrap_or(u8::MAX),
            )),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn network(&self) -> Network {
        let mut network = if self.allow_network {
            Network::all()
        } else {
            Network::none()
        };
        for to in &self.allow_connect {
            network = network.allow_connect(to.clone());
        }
        for on in &self.allow_listen {
            network = network.allow_listen(on.clone());
        }
        // A program may try the same again and again; one line about it is enough.
        let told = Mutex::new(HashSet::new());
        network.on_denied(move |denied| {
            let line = format!("streams: {denied} denied; {}", grant(denied));
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < DENIALS && told.insert(line.clone()) {
                eprintln!("{line}");
            }
        })
    }

    fn explain(&self, error: &RunError) -> anyhow::Error {
        if let (true, Some(backtrace)) = (self.verbose, error.backtrace()) {
            return anyhow::anyhow!("{error}\n{backtrace}");
        }
        let hint = match error.to_string().contains("store handle limit exceeded") {
            true => format!(
                "; it has more than {} handles, raise --max-handles",
                self.max_handles
            ),
            false => String::new(),
        };
        anyhow::anyhow!("{error}{hint}")
    }
}

/// The program, composed with the parts.
fn load(file: &str, with: &[PathBuf]) -> anyhow::Result<Program> {
    let engine = Engine::new()?;
    if with.is_empty() {
        return Ok(Program::from_file(&engine, file)?);
    }
    let parts = std::iter::once(Part::read(file)).chain(with.iter().map(Part::read));
    let composition = compose(parts.collect::<Result<Vec<_>, _>>()?)?;
    Ok(Program::from_bytes(&engine, file, composition.bytes())?)
}

fn max_handles() -> String {
    format!(
        "How many handles may be alive at once; the default is also what `wasmtime run` has. A connection takes up to \
         {} handles if the program opened it, {} if a server accepted it. A program that needs more traps",
        Limits::HANDLES_PER_OPENED,
        Limits::HANDLES_PER_ACCEPTED
    )
}

/// Which option would have granted it, as a shell takes it.
fn grant(denied: &Denied) -> String {
    let Some(endpoint) = denied.endpoint() else {
        return "grant it with --allow-network".to_owned();
    };
    let endpoint = endpoint.to_string();
    // Brackets and stars are patterns to a shell.
    let endpoint = match endpoint.contains(['*', '[']) {
        true => format!("'{endpoint}'"),
        false => endpoint,
    };
    match denied {
        Denied::Listen(_) => format!("grant it with --allow-listen {endpoint}"),
        Denied::Lookup(_) => {
            format!("grant it with --allow-connect {endpoint} or --allow-listen {endpoint}")
        }
        _ => format!("grant it with --allow-connect {endpoint}"),
    }
}

fn folder(text: &str) -> Result<(String, String), String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    match host.is_empty() || guest.is_empty() {
        true => Err("it is not HOST or HOST::GUEST".to_owned()),
        false => Ok((host.to_owned(), guest.to_owned())),
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not NAME=VALUE".to_owned()),
    }
}
