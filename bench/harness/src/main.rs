//! `cargo xtask bench`: compares this project's components with asyncio, uvloop, native tokio and raw sockets, in one run.

mod catalogue;
mod compiled;
mod figure;
mod goals;
mod machine;
mod peer;
mod peers;
mod plot;
mod publish;
mod python;
mod report;
mod run;
mod stored;
mod usage;
mod workload;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use xtask::toolchain::{self, Choice, Toolchain};
use xtask::{build, checkout};

use figure::Figure;
use machine::Start;
use peer::Peer;
use peers::{Host, Peers};
use run::Pace;
use stored::Run;
use workload::Workload;

/// Compare the components with asyncio, uvloop, native tokio and raw sockets. All workloads take 25 minutes.
#[derive(Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench", after_help = catalogue::help())]
struct Options {
    /// The workloads to run; all of them if none is named.
    workloads: Vec<String>,
    /// Run only these peers, as in `--peers ours,tokio`.
    #[arg(long, value_delimiter = ',', value_enum)]
    peers: Vec<Peer>,
    /// The number of runs for a figure; workloads with 10,000 connections have one run.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// The measured time of a run, in milliseconds; the warm-up takes two fifths of it.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    milliseconds: u32,
    /// The program `streams` that runs the peers `...@streams`. Without it, one is built by the profile `shipped`, as releases are:
    /// that takes many minutes at first.
    #[arg(long, value_name = "FILE")]
    streams: Option<PathBuf>,
    /// Run each workload once for a short time, with few connections and without results, to check that it works.
    #[arg(long, conflicts_with_all = ["workloads", "peers", "runs", "milliseconds", "streams", "publish"])]
    smoke: bool,
    /// Measure nothing: write the last three whole runs that began at a load below 2, and 10 minutes apart, into docs/benchmarks.md and
    /// the README. Each run without --smoke is kept in target/bench/runs.
    #[arg(long, conflicts_with_all = ["workloads", "peers", "runs", "milliseconds", "streams"])]
    publish: bool,
    /// The compiler for WebAssembly; auto takes an installed one, else installs one.
    #[arg(long, value_enum, default_value_t, env = toolchain::VARIABLE)]
    toolchain: Choice,
}

/// The figures by workload, then by peer.
pub(crate) type Results = BTreeMap<String, BTreeMap<Peer, Figure>>;

fn main() -> ExitCode {
    xtask::report(bench(&Options::parse()))
}

/// Builds, measures, prints the results and writes them to `target/bench`.
///
/// # Errors
/// When a workload is unknown, a build fails, or a run fails. Other runs continue after a failed one.
fn bench(options: &Options) -> Result<()> {
    if options.publish {
        return publish();
    }
    let workloads = catalogue::chosen(&options.workloads)?;
    // Before the build, which is a load itself.
    let start = Start::now();
    let toolchain = build::build(options.toolchain)?;
    if options.smoke {
        return smoke(&toolchain);
    }
    let streams = match &options.streams {
        Some(file) => Host::Given(file),
        None => Host::Shipped,
    };
    let peers = Peers::get(&toolchain, &options.peers, streams)?;
    let machine = machine::describe(&peers, start);
    let pace = Pace {
        runs: options.runs,
        measured: Duration::from_millis(options.milliseconds.into()),
        large: true,
    };
    let (results, failures) = measure(&workloads, &peers, pace);
    let chosen = options.workloads.is_empty() && options.peers.is_empty();
    let run = Run::new(&machine, &results).made(
        format!("{} × {} ms", options.runs, options.milliseconds),
        chosen && failures.is_empty(),
    );
    finish(&run, &results)?;
    all_well(&failures)
}

/// Runs every workload once for a short time with few connections, to check that it works.
///
/// # Errors
/// When a build or a run fails.
fn smoke(toolchain: &Toolchain) -> Result<()> {
    let peers = Peers::get(toolchain, &[], Host::OfTheTests)?;
    let (_, failures) = measure(&catalogue::all(), &peers, Pace::SMOKE);
    all_well(&failures)
}

fn measure(workloads: &[Workload], peers: &Peers, pace: Pace) -> (Results, Vec<String>) {
    let mut results = Results::new();
    let mut failures = Vec::new();
    for workload in workloads {
        let figures = run::all(workload, peers, pace, &mut failures);
        report::print_line(workload, &figures);
        if !figures.is_empty() {
            results.insert(workload.name.clone(), figures);
        }
    }
    (results, failures)
}

fn all_well(failures: &[String]) -> Result<()> {
    if failures.is_empty() {
        return Ok(());
    }
    bail!("failed:\n  {}", failures.join("\n  "))
}

fn finish(run: &Run, results: &Results) -> Result<()> {
    let tables = tables(std::slice::from_ref(run), results)?;
    println!("\n{tables}");
    let svg = plot::svg(results)?;
    run.store()?;
    write("results.json", &run.json()?)?;
    write("results.md", &tables)?;
    write("results.svg", &svg)?;
    println!("{} has the same, and a plot", checkout::shown(&folder()));
    Ok(())
}

/// Writes the newest runs into the documents.
///
/// # Errors
/// When there are too few runs, or a document cannot be written.
fn publish() -> Result<()> {
    let runs = stored::newest()?;
    let results = stored::combined(&runs);
    let tables = format!(
        "Medians of {} runs, ± half the distance of their extremes. {} Ratios in the tables of the workloads compare medians. Those \
         in the table of the goals and in the README are medians of the ratios of the runs. The last run:\n{}",
        runs.len(),
        report::choice(&runs),
        tables(&runs, &results)?
    );
    publish::publish(&tables, &report::summary(&runs), &plot::svg(&results)?)
}

fn tables(runs: &[Run], results: &Results) -> Result<String> {
    let machine = runs.last().map(|run| &run.machine).context("no run")?;
    Ok(format!(
        "{}\n{}",
        report::markdown(machine, results),
        goals::table(runs)
    ))
}

/// The folder of the results and of the compiled peers.
fn folder() -> PathBuf {
    checkout::target().join("bench")
}

fn write(name: &str, content: &str) -> Result<()> {
    let file = folder().join(name);
    fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))
}
