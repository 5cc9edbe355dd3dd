//! The runs of the command, stored for publication: a claim has to hold in several runs at different times.
//!
//! The last [`RUNS`] runs that are whole, began at a load below [`MAX_LOAD`] and at least [`APART`] after each other are published.
//! Other runs are stored as well.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use super::Results;
use super::figure::Figure;
use super::machine::Machine;
use super::peer::Peer;

/// The number of runs that are published together.
pub(crate) const RUNS: usize = 3;

/// The seconds between the starts of two published runs: a disturbance of the machine should not affect all of them.
const APART: u64 = 10 * 60;

/// The load average below which a run that begins can be published.
pub(crate) const MAX_LOAD: f64 = 2.0;

/// One run of the command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) machine: Machine,
    /// The number and the length of the runs of each workload.
    #[serde(default)]
    pub(crate) pace: String,
    /// Whether all peers did all workloads.
    #[serde(default)]
    is_whole: bool,
    results: BTreeMap<String, BTreeMap<String, Figure>>,
}

/// The ratios of one peer to another in several runs; 2 is twice as good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Run {
    pub(crate) fn new(machine: &Machine, results: &Results) -> Self {
        let mut named: BTreeMap<String, BTreeMap<String, Figure>> = BTreeMap::new();
        for (workload, figures) in results {
            let by_name = figures
                .iter()
                .map(|(peer, figure)| (peer.name().to_owned(), *figure));
            named.insert(workload.clone(), by_name.collect());
        }
        Self {
            machine: machine.clone(),
            pace: String::new(),
            is_whole: false,
            results: named,
        }
    }

    /// Records how the run was made.
    pub(crate) fn made(self, pace: String, is_whole: bool) -> Self {
        Self {
            pace,
            is_whole,
            ..self
        }
    }

    /// The run as `{"machine": ..., "results": {WORKLOAD: {PEER: {...}}}}`.
    ///
    /// # Errors
    /// Serialization cannot fail for the fields of a run.
    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Keeps the run for a later publication.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn store(&self) -> Result<()> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let file = folder().join(format!("{seconds}.json"));
        let json = self.json()?;
        fs::create_dir_all(folder())
            .and_then(|()| fs::write(&file, json))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    pub(crate) fn figure(&self, workload: &str, peer: Peer) -> Option<Figure> {
        self.results.get(workload)?.get(peer.name()).copied()
    }

    /// Returns whether the run is whole and began at a low load. An unknown load counts as none.
    fn is_publishable(&self) -> bool {
        let load = self.machine.load_before.parse();
        self.is_whole && load.map_or(true, |load: f64| load < MAX_LOAD)
    }
}

/// Reads the newest runs that can be published, the oldest of them first.
///
/// # Errors
/// When there are fewer than [`RUNS`], or one cannot be read.
pub(crate) fn newest() -> Result<Vec<Run>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    let mut newest = Vec::new();
    let mut bound = u64::MAX;
    for file in files.iter().rev() {
        let at = seconds(file);
        if at > bound {
            continue;
        }
        let run = read(file).with_context(|| format!("cannot read {}", file.display()))?;
        if run.is_publishable() {
            newest.push(run);
            bound = at.saturating_sub(APART);
        }
        if newest.len() == RUNS {
            newest.reverse();
            return Ok(newest);
        }
    }
    bail!(
        "{RUNS} whole runs that began at a load below {MAX_LOAD} and {} minutes apart are published together, and {} are stored: \
         run `cargo xtask bench` at different times before",
        APART / 60,
        newest.len()
    )
}

/// Returns the time at which a run was stored, in seconds since 1970; 0 for a file with another name.
fn seconds(file: &Path) -> u64 {
    let name = file.file_stem().and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

fn read(file: &Path) -> Result<Run> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

/// The figures that all runs have: their medians over the runs.
pub(crate) fn combined(runs: &[Run]) -> Results {
    let Some((first, _)) = runs.split_first() else {
        return Results::new();
    };
    let mut results = Results::new();
    for workload in first.results.keys() {
        for &peer in Peer::value_variants() {
            let figures: Option<Vec<Figure>> =
                runs.iter().map(|run| run.figure(workload, peer)).collect();
            if let Some(figure) = figures.and_then(|figures| Figure::over(&figures)) {
                let figures = results.entry(workload.clone()).or_default();
                figures.insert(peer, figure);
            }
        }
    }
    results
}

/// Compares two peers in each run; `None` unless all runs have both.
pub(crate) fn times(runs: &[Run], workload: &str, peer: Peer, other: Peer) -> Option<Times> {
    let times = |run: &Run| {
        let (figure, other) = (run.figure(workload, peer)?, run.figure(workload, other)?);
        Some(figure.times(&other))
    };
    let mut times: Vec<f64> = runs.iter().map(times).collect::<Option<_>>()?;
    times.sort_by(f64::total_cmp);
    Some(Times {
        median: *times.get(times.len() / 2)?,
        least: *times.first()?,
        most: *times.last()?,
    })
}

fn folder() -> PathBuf {
    crate::folder().join("runs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Unit;

    fn run(ours: f64, asyncio: f64) -> Run {
        let figure = |value: f64| Figure::of(&[value.into()], Unit::Lines).unwrap();
        let figures =
            BTreeMap::from([(Peer::Ours, figure(ours)), (Peer::Asyncio, figure(asyncio))]);
        Run::new(
            &Machine::default(),
            &Results::from([("lines-64".to_owned(), figures)]),
        )
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let written = run(3.0, 2.0).json().unwrap();
        let read: Run = serde_json::from_str(&written).unwrap();
        assert_eq!(read.json().unwrap(), written);
        for field in [
            r#""unit": "lines/s""#,
            r#""better": "higher""#,
            r#""median": 3.0"#,
        ] {
            assert!(written.contains(field), "{written}");
        }
    }

    #[test]
    fn a_whole_run_at_a_low_load_can_be_published() {
        let part = run(1.0, 1.0).made("5 × 500 ms".into(), false);
        assert!(!part.is_publishable());
        let mut whole = part.made("5 × 500 ms".into(), true);
        for (load, publishable) in [("", true), ("1.99", true), ("2.00", false), ("5.06", false)] {
            whole.machine.load_before = load.to_owned();
            assert_eq!(whole.is_publishable(), publishable, "{load}");
        }
    }

    #[test]
    fn runs_are_compared_one_by_one() {
        let runs = [run(30.0, 10.0), run(8.0, 4.0), run(5.0, 5.0)];
        let found = times(&runs, "lines-64", Peer::Ours, Peer::Asyncio).unwrap();
        assert_eq!((found.median, found.least, found.most), (2.0, 1.0, 3.0));
        assert_eq!(times(&runs, "lines-64", Peer::Ours, Peer::Tokio), None);
        assert_eq!(times(&runs, "accept", Peer::Ours, Peer::Asyncio), None);
        let combined = combined(&runs);
        let ours = combined["lines-64"][&Peer::Ours];
        assert_eq!((ours.median, ours.min, ours.max), (8.0, 5.0, 30.0));
    }

    #[test]
    fn a_figure_that_one_run_lacks_is_left_out() {
        let mut lacking = run(1.0, 1.0);
        lacking.results.clear();
        assert!(combined(&[run(1.0, 1.0), lacking]).is_empty());
    }
}
