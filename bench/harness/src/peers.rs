//! The peers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use asyncio_streams_bench_plan::TLS;
use clap::ValueEnum as _;

use super::peer::Peer;
use super::workload::Workload;
use super::{compiled, python};
use xtask::toolchain::Toolchain;
use xtask::{cargo, checkout, process, tools};

/// The peer in Python.
const PYTHON_PEER: &str = "bench/peer.py";

/// Handles for 10,000 connections; the default is 100,000.
const HANDLES: &str = "max-component-handles=1000000";

/// The program `streams` that runs components.
#[derive(Clone, Copy)]
pub(crate) enum Host<'a> {
    /// Built as releases are.
    Shipped,
    /// Built with the tests, which takes less time.
    OfTheTests,
    /// This file.
    Given(&'a Path),
}

impl Host<'_> {
    fn get(self) -> Result<PathBuf> {
        match self {
            Host::Shipped => tools::streams_in("shipped"),
            Host::OfTheTests => tools::streams(),
            // A program without a folder would be looked up in PATH.
            Host::Given(file) => {
                std::path::absolute(file).with_context(|| format!("--streams {}", file.display()))
            }
        }
    }
}

/// All peers of a run, ready to start.
pub(crate) struct Peers {
    pub(crate) peers: Vec<Peer>,
    wasmtime: PathBuf,
    /// This project's host; not built where no peer needs it.
    streams: Option<PathBuf>,
    native: PathBuf,
    /// The certificate and its key; none without TLS.
    certificate: Option<String>,
    pub(crate) python: Option<python::Python>,
    pub(crate) in_python: Option<InPython>,
}

/// The peers of the workloads in Python.
pub(crate) struct InPython {
    /// The newest CPython of the machine.
    stock: String,
    /// Its version.
    pub(crate) version: String,
    /// The folder of packages for it; none without the packages, which the component then does not contain either.
    packages: Option<String>,
    /// The same program as a component that wasmtime has compiled.
    component: String,
    /// The same, compiled by this project's host; none without it.
    for_streams: Option<PathBuf>,
}

impl Peers {
    /// Builds these peers, or all if none is named. The project's components must have been built. Peers in Python and
    /// in other languages are left out with a message when Python, uvloop or the language's tools are missing.
    ///
    /// # Errors
    /// When another peer cannot be built.
    pub(crate) fn get(toolchain: &Toolchain, wanted: &[Peer], host: Host<'_>) -> Result<Self> {
        let wanted = |peer: &Peer| wanted.is_empty() || wanted.contains(peer);
        let wasmtime = tools::WASMTIME.get()?;
        let native = native()?;
        std::fs::create_dir_all(crate::folder())?;
        compiled::make(toolchain, &wasmtime)?;
        let mut under_streams = Peer::IN_BOTH_HOSTS.iter().map(|(_, peer)| peer);
        let streams = if under_streams.any(wanted) {
            let streams = host.get()?;
            compiled::make_for_streams(&streams)?;
            Some(streams)
        } else {
            None
        };
        let made =
            compiled::make_protected(toolchain, &wasmtime).and_then(|()| certificate(&native));
        let certificate = made
            .inspect_err(|error| eprintln!("\n!!! Left out: everything with TLS. {error:#}"))
            .ok();
        let mut peers: Vec<Peer> = Peer::value_variants()
            .iter()
            .copied()
            .filter(wanted)
            .collect();
        let mut python = None;
        if peers.iter().any(|peer| peer.is_python()) {
            match python::get(peers.contains(&Peer::Uvloop)) {
                Ok(found) => python = Some(found),
                Err(error) => eprintln!("\n!!! Left out: {error:#}"),
            }
        }
        compiled::make_foreign(&wasmtime, &mut peers)?;
        let has_uvloop = python
            .as_ref()
            .is_some_and(|python| python.uvloop.is_some());
        peers.retain(|peer| match peer {
            Peer::Asyncio => python.is_some(),
            Peer::Uvloop => has_uvloop,
            _ => true,
        });
        let in_python = match in_python(streams.as_deref()) {
            Ok(found) => Some(found),
            Err(error) => {
                eprintln!("\n!!! Left out: the workloads in Python ({error:#})");
                None
            }
        };
        Ok(Self {
            peers,
            wasmtime,
            streams,
            native,
            certificate,
            python,
            in_python,
        })
    }

    /// Returns the value of the environment variable of workloads with TLS; `None` without TLS.
    pub(crate) fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Returns whether a peer takes part in a workload.
    pub(crate) fn takes(&self, workload: &Workload, peer: Peer) -> bool {
        let can_run = match &self.in_python {
            Some(found) => !workload.needs_packages() || found.packages.is_some(),
            None => !workload.in_python(),
        };
        workload.has(peer) && can_run
    }

    /// Returns the command of a peer in the workloads in Python, without its job.
    ///
    /// # Errors
    /// When there is no Python, or none for this peer.
    pub(crate) fn command_in_python(&self, peer: Peer) -> Result<Vec<String>> {
        let found = self.in_python.as_ref().context("there is no Python")?;
        let text = |path: &Path| path.display().to_string();
        let mut words = match (peer, &self.streams, &found.for_streams) {
            (Peer::Ours, ..) => {
                let words = ["run", "--allow-precompiled", "-S", "inherit-network"];
                let mut words: Vec<_> = words.map(str::to_owned).into();
                words.insert(0, text(&self.wasmtime));
                words.push(found.component.clone());
                words
            }
            (Peer::OursInStreams, Some(streams), Some(component)) => {
                let words = [&text(streams), "run", "--allow-network", &text(component)];
                words.map(str::to_owned).into()
            }
            (Peer::Asyncio, ..) => {
                let packages = found.packages.as_deref().unwrap_or_default();
                let packages = format!("PYTHONPATH={packages}");
                let file = text(&checkout::root().join(PYTHON_PEER));
                ["env", &packages, &found.stock, &file]
                    .map(str::to_owned)
                    .into()
            }
            _ => bail!("{} does not run the programs in Python", peer.name()),
        };
        words.push(Peer::Asyncio.name().to_owned());
        Ok(words)
    }

    /// Returns the command of a peer, without its job.
    pub(crate) fn command(&self, peer: Peer, tls: bool) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        if let Some(python) = self.python.as_ref().filter(|_| peer.is_python()) {
            let file = checkout::root().join(PYTHON_PEER);
            return vec![text(&python.program), text(&file), peer.name().to_owned()];
        }
        if let (Some(streams), Some(_)) = (&self.streams, peer.under_streams()) {
            let words = ["run", "--allow-network", "--max-handles", "1000000"];
            let mut words: Vec<_> = words.map(str::to_owned).into();
            words.insert(0, text(streams));
            words.push(text(&compiled::file(peer, false)));
            return words;
        }
        if peer.is_component() {
            let mut words = vec![text(&self.wasmtime)];
            let flags = [
                "run",
                "--allow-precompiled",
                "-S",
                "inherit-network",
                "-S",
                HANDLES,
            ];
            words.extend(flags.map(str::to_owned));
            if peer == Peer::P2Plain {
                words.extend(["-S", "p3=n"].map(str::to_owned));
                words.extend(compiled::PLAIN.map(str::to_owned));
            }
            if tls {
                words.extend(["--env", TLS].map(str::to_owned));
            }
            words.push(text(&compiled::file(peer, tls)));
            return words;
        }
        vec![text(&self.native)]
    }

    /// Returns the command of the load, without its job.
    pub(crate) fn load(&self) -> Vec<String> {
        vec![self.native.display().to_string()]
    }

    /// Returns the version that the program wasmtime reports.
    pub(crate) fn wasmtime_version(&self) -> String {
        process::output_of(Command::new(&self.wasmtime).arg("--version")).unwrap_or_default()
    }
}

/// Finds the newest CPython, and makes a component of the peer in Python, for both hosts.
fn in_python(streams: Option<&Path>) -> Result<InPython> {
    let lines = xtask::python::run(&["bench-peer"])?.context("for the reason above")?;
    let value = |name| xtask::python::value(&lines, name).map(str::to_owned);
    let for_streams = match streams {
        Some(streams) => {
            let file = crate::folder().join("python@streams.cwasm");
            compiled::compile_for_streams(streams, Path::new(&value("COMPOSED")?), &file)?;
            Some(file)
        }
        None => None,
    };
    Ok(InPython {
        stock: value("PYTHON")?,
        version: value("VERSION")?,
        packages: value("PACKAGES").ok(),
        component: value("COMPONENT")?,
        for_streams,
    })
}

/// Builds the native program, which is the load and the peer `tokio`.
fn native() -> Result<PathBuf> {
    cargo::program("release", &["asyncio-streams-bench"], "bench-native")
}

/// Makes a new certificate with its key.
fn certificate(native: &Path) -> Result<String> {
    process::output_of(Command::new(native).arg("certificate"))
        .context("the benchmark's native program prints no certificate")
}
