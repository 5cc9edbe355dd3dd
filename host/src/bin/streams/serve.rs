use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use asyncio_streams_host::serve::{Isolation, Listen, Listener, ServeOptions, Server, Tls};
use asyncio_streams_host::{Endpoint, Engine, Escaped, Limits, Network, Program};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::grants::{UnixGrants, folder, report_denied, variable};
use crate::load::{Access, Loading};
use crate::log::{self, Format, Level};
use crate::systemd;
use crate::units::{size, time, time_or_off};

#[derive(Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Serve {
    /// Listen on this address, on this Unix socket, or on the sockets that systemd passed. The program has to bind
    /// the same address. May be repeated.
    #[arg(
        long,
        required = true,
        value_name = "ADDR:PORT|unix:PATH|systemd[:NAME]"
    )]
    listen: Vec<Place>,

    /// Threads that run the program, each with its own memory [default: the number of cores].
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,

    /// The part of the server that clients share: a worker, or nothing.
    #[arg(long, value_enum, default_value_t = Isolate::Worker)]
    isolate: Isolate,

    /// Largest number of connections of each worker; more wait in the system.
    #[arg(long, value_name = "N", default_value = "4000")]
    max_connections: NonZeroUsize,

    /// Memory of each instance; an instance that needs more traps [default: 4G for each of its memories].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<usize>,

    /// End an instance that computes for this long without waiting. `off` makes programs some 6 % faster.
    #[arg(long, value_name = "TIME|off", default_value = "10s")]
    stuck_timeout: Limit,

    /// Replace a worker after about this many connections.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_requests: Option<u64>,

    /// Replace a worker at about this age.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_age: Option<Duration>,

    /// How long clients may take to finish after SIGTERM or SIGINT. The same signal again ends them at once.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30s")]
    grace: Duration,

    /// How long clients of a worker that is replaced may take to finish.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30s")]
    reload_grace: Duration,

    /// How long a worker that keeps failing waits before it starts again: the first and the longest wait.
    #[arg(long, value_name = "TIME..TIME", default_value = "100ms..10s")]
    restart_backoff: Backoff,

    /// How long a worker may take until it listens.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30s")]
    start_timeout: Duration,

    /// End TLS here, with this chain of certificates (PEM). SIGHUP reads it again.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// An application protocol to offer. May be repeated, the best first.
    #[arg(long, value_name = "PROTOCOL", requires = "tls_cert")]
    tls_alpn: Vec<String>,

    /// Each connection begins with a header of the PROXY protocol. Let only the proxy connect: it names the client.
    #[arg(long)]
    proxy_protocol: bool,

    /// Answer /healthz, /readyz and /metrics here, by HTTP.
    #[arg(long, value_name = "ADDR:PORT|unix:PATH")]
    admin: Option<Listen>,

    /// Let the program connect to this host and port; `*` is any. May be repeated.
    #[arg(long, value_name = "HOST:PORT")]
    allow_connect: Vec<Endpoint>,

    /// Let the program do everything on the network that this process may do. It grants no Unix sockets.
    #[arg(long, conflicts_with = "allow_connect")]
    allow_network: bool,

    #[command(flatten)]
    unix: UnixGrants,

    /// Set an environment variable; the program sees no others but STREAMS_SERVE. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,

    /// Let the program read and write in this folder, under the name GUEST. May be repeated.
    #[arg(long, value_name = "HOST::GUEST", value_parser = folder)]
    dir: Vec<(PathBuf, String)>,

    #[command(flatten)]
    loading: Loading,

    /// How to write events, on the standard error output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log: Format,

    /// Which events to write.
    #[arg(long, value_enum, default_value_t = Level::Info)]
    log_level: Level,

    /// The program, or a file that `streams compile` wrote.
    #[arg(value_name = "APP.wasm")]
    program: PathBuf,

    /// Arguments of the program, such as `--idle-timeout 60` of serve.wasm.
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0    all clients finished after SIGTERM or SIGINT
  1    the program does not serve, the system refused a resource, or clients were cut
  2    an option is wrong
  130  SIGINT came a second time
  143  SIGTERM came a second time";

/// A place to listen.
#[derive(Clone)]
enum Place {
    Own(Listen),
    /// The sockets that systemd passed, all or those of one name.
    Systemd(Option<String>),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("systemd") {
            Some("") => Ok(Self::Systemd(None)),
            Some(name) if name.len() > 1 && name.starts_with(':') => {
                Ok(Self::Systemd(Some(name[1..].to_owned())))
            }
            _ => text
                .parse()
                .map(Self::Own)
                .map_err(|error: asyncio_streams_host::serve::ListenParseError| error.to_string()),
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Isolate {
    /// All connections of a worker share an instance.
    Worker,
    /// Each connection has an instance of its own.
    Connection,
}

/// A limit that may be off.
#[derive(Clone, Copy)]
struct Limit(Option<Duration>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        time_or_off(text).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Backoff {
    first: Duration,
    most: Duration,
}

impl FromStr for Backoff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let times = text.split_once("..").and_then(|(first, most)| {
            let (first, most) = (time(first).ok()?, time(most).ok()?);
            (first <= most).then_some(Self { first, most })
        });
        times.ok_or_else(|| "expected two times, the shorter one first, such as 100ms..10s".into())
    }
}

impl Serve {
    pub(crate) fn execute(self: Box<Self>) -> anyhow::Result<ExitCode> {
        log::start(self.log, self.log_level).context("events cannot be written")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the tokio runtime")?;
        runtime.block_on(self.serve())
    }

    async fn serve(&self) -> anyhow::Result<ExitCode> {
        let mut signals = Signals::new().context("signals cannot be watched")?;
        let options = self.options()?;
        // Bind first: an address in use is reported before the program is compiled.
        let listeners = self.listeners()?;
        let admin = self.admin.as_ref().map(Listener::bind).transpose();
        let admin = admin.context("--admin")?;
        let interruptible = self.stuck_timeout.0.is_some();
        let (engine, program) = self
            .loading
            .open(&self.program, interruptible, Access::Copied)?;
        let server = tokio::select! {
            server = Server::start(program, listeners, options) => server?,
            code = signals.end.next() => return Ok(ExitCode::from(code)),
        };
        for address in server.addresses() {
            println!("listening on {address}");
        }
        if let Some(address) = admin.as_ref().and_then(|admin| admin.address().ok()) {
            println!("admin on {address}");
        }
        systemd::ready();
        let admin = async {
            match admin {
                Some(listener) => server.admin(listener).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            code = self.until_signalled(&engine, &server, &mut signals) => Ok(code),
            failed = admin => {
                failed.context("--admin")?;
                Ok(ExitCode::FAILURE)
            }
        }
    }

    /// Reloads, and shuts down, when signals ask for it.
    async fn until_signalled(
        &self,
        engine: &Engine,
        server: &Server,
        signals: &mut Signals,
    ) -> ExitCode {
        let watchdog = systemd::watchdog();
        loop {
            let pause = async {
                match watchdog {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = signals.hangup.recv() => {
                    systemd::reloading();
                    // The server logs its own errors; this one is logged here.
                    if let Err(error) = self.reload(engine, server).await {
                        tracing::error!("the reload failed, the old program goes on: {error:#}");
                    }
                    systemd::ready();
                }
                () = pause => {
                    // The watchdog must not hear of a server that does not answer.
                    if server.is_alive().await {
                        systemd::alive();
                    }
                }
                _ = signals.end.next() => break,
            }
        }
        systemd::stopping();
        tracing::info!(
            connections = server.counters().live,
            "clients may finish within {:?}; the same signal again ends them at once",
            self.grace
        );
        tokio::select! {
            cut = server.shutdown(self.grace) => match cut {
                0 => ExitCode::SUCCESS,
                cut => {
                    tracing::error!("{cut} clients did not finish in time");
                    ExitCode::FAILURE
                }
            },
            code = signals.end.next() => ExitCode::from(code),
        }
    }

    /// Reads the program and the certificate again.
    async fn reload(&self, engine: &Engine, server: &Server) -> anyhow::Result<()> {
        let tls = self.tls()?;
        // Compiling takes seconds; signals and probes are handled meanwhile.
        let program: Program = {
            let (engine, file) = (engine.clone(), self.program.clone());
            let loading = self.loading.clone();
            let load = move || loading.program(&engine, &file, Access::Copied);
            tokio::task::spawn_blocking(load)
                .await
                .context("the program cannot be loaded")??
        };
        // A failure of the program itself is logged by the server.
        let _ = server.reload(program, tls).await;
        Ok(())
    }

    fn listeners(&self) -> anyhow::Result<Vec<Listener>> {
        let mut listeners = Vec::new();
        for place in &self.listen {
            match place {
                Place::Own(on) => listeners.push(Listener::bind(on)?),
                Place::Systemd(name) => listeners.extend(systemd::listeners(name.as_deref())?),
            }
        }
        Ok(listeners)
    }

    fn options(&self) -> anyhow::Result<ServeOptions> {
        let mut network = match self.allow_network {
            true => Network::all(),
            false => Network::none(),
        };
        for to in &self.allow_connect {
            network = network.allow_connect(to.clone());
        }
        network = self.unix.apply(network);
        let mut options = ServeOptions::new();
        if let Some(workers) = self.workers {
            options.workers = workers;
        }
        options.isolation = match self.isolate {
            Isolate::Worker => Isolation::Worker,
            Isolate::Connection => Isolation::Connection,
        };
        options.args.clone_from(&self.args);
        options.env.clone_from(&self.env);
        options.dirs.clone_from(&self.dir);
        options.network = report_denied(network, |line| {
            let line = line.replace("--allow-listen", "--listen");
            tracing::warn!("{line}");
        });
        options.max_connections = self.max_connections.get();
        if let Some(bytes) = self.max_memory {
            options.limits = Limits::new().max_memory(bytes);
        }
        options.stuck_timeout = self.stuck_timeout.0;
        options.max_requests = self.max_requests;
        options.max_age = self.max_age;
        options.reload_grace = self.reload_grace;
        options.restart_backoff = self.restart_backoff.first;
        options.max_restart_backoff = self.restart_backoff.most;
        options.start_timeout = self.start_timeout;
        options.proxy_protocol = self.proxy_protocol;
        options.tls = self.tls()?;
        Ok(options)
    }

    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let tls = Tls::from_pem(&read(certificate)?, &read(key)?, &self.tls_alpn);
        let tls = tls.with_context(|| {
            let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
            format!(
                "--tls-cert {} --tls-key {}",
                Escaped(&certificate),
                Escaped(&key)
            )
        })?;
        Ok(Some(tls))
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let name = file.to_string_lossy();
    std::fs::read(file).with_context(|| format!("cannot read {}", Escaped(&name)))
}

struct Signals {
    hangup: Signal,
    end: EndSignals,
}

struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            end: EndSignals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            },
        })
    }
}

impl EndSignals {
    /// Waits for SIGINT or SIGTERM, and returns the exit code that shells report for it.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}
