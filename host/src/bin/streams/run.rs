use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use asyncio_streams_host::{Endpoint, Escaped, Limits, Network, RunError, Stdin};
use clap::Args;

use crate::grants::{UnixGrants, folder, report_denied, variable};
use crate::input::Input;
use crate::load::{Access, Loading};

#[derive(Args)]
pub(crate) struct Run {
    /// Let the program connect to this host and port; `*` is any. IPv6 addresses stand in brackets, names may be of
    /// any alphabet. There are no networks such as 10.0.0.0/8 and no patterns. May be repeated.
    #[arg(long, value_name = "HOST:PORT")]
    allow_connect: Vec<Endpoint>,

    /// Let the program listen on this address and port; `*` is any, and port 0 is a free one that the system chooses.
    /// This option also grants a local address or port to connect from (for an address alone: with port 0). May be
    /// repeated.
    #[arg(long, value_name = "ADDR:PORT")]
    allow_listen: Vec<Endpoint>,

    /// Let the program do everything on the network that this process may do. It grants no Unix sockets.
    #[arg(long, conflicts_with_all = ["allow_connect", "allow_listen"])]
    allow_network: bool,

    #[command(flatten)]
    unix: UnixGrants,

    /// Set an environment variable; the program sees no others. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,

    /// Let the program read and write in this folder, under the name GUEST. May be repeated.
    #[arg(long, value_name = "HOST::GUEST", value_parser = folder)]
    dir: Vec<(PathBuf, String)>,

    /// Let the program read in this folder, under the name GUEST. May be repeated.
    #[arg(long, value_name = "HOST::GUEST", value_parser = folder)]
    read_dir: Vec<(PathBuf, String)>,

    #[command(flatten)]
    loading: Loading,

    #[arg(long, value_name = "N", default_value_t = Limits::default().max_handles, help = max_handles())]
    max_handles: usize,

    /// When the program traps, show the calls that led there.
    #[arg(short, long)]
    verbose: bool,

    /// The program, or a file that `streams compile` wrote, and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_names = ["APP.wasm", "ARGS"])]
    program: Vec<String>,
}

impl Run {
    pub(crate) fn execute(self) -> anyhow::Result<ExitCode> {
        let (file, args) = self.program.split_first().context("no program is given")?;
        if file.starts_with('-') {
            let option = Escaped(file);
            eprintln!(
                "streams: run has no option {option}; options of the program follow its file"
            );
            return Ok(ExitCode::from(2));
        }
        let file = Path::new(file);
        let (_, program) = self.loading.open(file, false, Access::Mapped)?;
        // One thread for the program and its sockets, so that no wait of the program wakes a second thread.
        let runtime = tokio::runtime::Builder::new_current_thread()
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
            command = command.dir(host, guest)?;
        }
        for (host, guest) in &self.read_dir {
            command = command.read_dir(host, guest)?;
        }
        let input = Input::new();
        let command = command
            .stdin(Stdin::stream(input.clone()))
            .signals(input.signals());
        input
            .close_on_signals()
            .context("cannot start the thread that watches signals")?;
        let result = runtime.block_on(command.run());
        // A thread may still be blocked on input that is no longer needed.
        runtime.shutdown_background();
        match result {
            // The system has room for 8 bits; other codes become 255.
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
        report_denied(self.unix.apply(network), |line| {
            eprintln!("streams: {line}")
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

fn max_handles() -> String {
    format!(
        "How many handles may be alive at once; the default is also what `wasmtime run` has. A connection takes up to \
         {} handles if the program opened it, {} if a server accepted it. A program that needs more traps",
        Limits::HANDLES_PER_OPENED,
        Limits::HANDLES_PER_ACCEPTED
    )
}
