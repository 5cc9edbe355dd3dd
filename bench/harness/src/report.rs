//! Writes the results as Markdown and as JSON.

use std::collections::BTreeMap;

use clap::ValueEnum as _;

use super::Results;
use super::catalogue::{self, SUMMARY};
use super::figure::Figure;
use super::machine::Machine;
use super::peer::Peer;
use super::stored::{self, MAX_LOAD, Run};
use super::workload::{Unit, Workload};

/// The peers of the summary, and their headings.
const WAYS: [(Peer, &str); 7] = [
    (Peer::Ours, "composed"),
    (Peer::OursInStreams, "composed, `streams run`"),
    (Peer::Linked, "linked"),
    (Peer::LinkedInStreams, "linked, `streams run`"),
    (Peer::Uvloop, "uvloop"),
    (Peer::Tokio, "native tokio"),
    (Peer::Floor, "raw sockets"),
];

/// Prints the figures of one workload.
pub(crate) fn print_line(workload: &Workload, figures: &BTreeMap<Peer, Figure>) {
    let mut line = format!("{:<28}", workload.name);
    for (peer, figure) in figures {
        line.push_str(&format!("  {} {}", peer.name(), cell(figure)));
    }
    println!("{line}");
}

/// The machine, and a table of all results.
pub(crate) fn markdown(machine: &Machine, results: &Results) -> String {
    format!(
        "{}\n{}\n{}{}{}",
        about(machine),
        under_wasmtime(results),
        under_streams(results),
        in_other_languages(results),
        costs(results)
    )
}

/// All figures of the native peers and of the components in Rust and Python under the stock host.
fn under_wasmtime(results: &Results) -> String {
    let peers: Vec<Peer> = Peer::value_variants()
        .iter()
        .copied()
        .filter(|peer| peer.under_streams().is_none() && !peer.is_foreign())
        .collect();
    let mut text = String::from("| workload | unit |");
    for peer in &peers {
        text.push_str(&format!(" {} |", peer.name()));
    }
    text.push_str(" ours / asyncio | / uvloop | / tokio | / floor |\n|---|---|");
    text.push_str(&"--:|".repeat(peers.len() + 4));
    text.push('\n');
    for Workload { name, unit, .. } in catalogue::all() {
        let Some(figures) = results.get(&name) else {
            continue;
        };
        text.push_str(&format!("| {name} | {} |", column_unit(unit)));
        for peer in &peers {
            let cell = figures.get(peer).map(cell).unwrap_or_default();
            text.push_str(&format!(" {cell} |"));
        }
        for peer in [Peer::Asyncio, Peer::Uvloop, Peer::Tokio, Peer::Floor] {
            let times = times(figures, peer).unwrap_or_default();
            text.push_str(&format!(" {times} |"));
        }
        text.push('\n');
    }
    text
}

/// The figures under this project's host, each as a multiple of the figure under the stock host.
fn under_streams(results: &Results) -> String {
    compared(results, &[], &Peer::IN_BOTH_HOSTS, "wasmtime")
}

/// The figures of the peers in other languages, each as a multiple of the figure of the composed program in Rust.
fn in_other_languages(results: &Results) -> String {
    let pairs = Peer::IN_OTHER_LANGUAGES.map(|(peer, _)| (Peer::Ours, peer));
    compared(results, &[Peer::Ours], &pairs, Peer::Ours.name())
}

/// A table of the figures of `alone`, then of the second peer of each pair, each as a multiple of the figure of the first one,
/// which is called `base`. Nothing without a figure of a second peer.
fn compared(results: &Results, alone: &[Peer], pairs: &[(Peer, Peer)], base: &str) -> String {
    let mut text = String::from("| workload | unit |");
    for peer in alone {
        text.push_str(&format!(" {} |", peer.name()));
    }
    for (_, peer) in pairs {
        text.push_str(&format!(" {} | × {base} |", peer.name()));
    }
    text.push_str("\n|---|---|");
    text.push_str(&"--:|".repeat(alone.len() + 2 * pairs.len()));
    text.push('\n');
    let mut rows = 0;
    for Workload { name, unit, .. } in catalogue::all() {
        let Some(figures) = results.get(&name) else {
            continue;
        };
        if !pairs.iter().any(|(_, peer)| figures.contains_key(peer)) {
            continue;
        }
        rows += 1;
        text.push_str(&format!("| {name} | {} |", column_unit(unit)));
        for peer in alone {
            let cell = figures.get(peer).map(cell).unwrap_or_default();
            text.push_str(&format!(" {cell} |"));
        }
        for (first, peer) in pairs {
            let figure = figures.get(peer);
            let cell = figure.map(cell).unwrap_or_default();
            let times = figure
                .zip(figures.get(first))
                .map(|(figure, first)| with_three_digits(figure.times(first)))
                .unwrap_or_default();
            text.push_str(&format!(" {cell} | {times} |"));
        }
        text.push('\n');
    }
    if rows == 0 {
        return String::new();
    }
    text + "\n"
}

/// The processor time of the peer's process for an item, and its context switches. A column for each measured peer.
fn costs(results: &Results) -> String {
    let measured = |peer: &&Peer| {
        !peer.is_foreign() || results.values().any(|figures| figures.contains_key(peer))
    };
    let peers: Vec<Peer> = Peer::value_variants()
        .iter()
        .filter(measured)
        .copied()
        .collect();
    let mut text = String::from("| CPU µs each (context switches) | of |");
    for peer in &peers {
        text.push_str(&format!(" {} |", peer.name()));
    }
    text.push_str("\n|---|---|");
    text.push_str(&"--:|".repeat(peers.len()));
    text.push('\n');
    for Workload { name, unit, .. } in catalogue::all() {
        let Some(figures) = results.get(&name) else {
            continue;
        };
        let Some((scale, item)) = item(unit) else {
            continue;
        };
        if figures.values().all(|figure| figure.cost.is_none()) {
            continue;
        }
        text.push_str(&format!("| {name} | {item} |"));
        for peer in &peers {
            let cost = figures.get(peer).and_then(|figure| figure.cost);
            let cell = cost.map(|cost| {
                let (time, switches) = (cost.microseconds * scale, cost.switches * scale);
                format!("{} ({switches:.2})", with_three_digits(time))
            });
            text.push_str(&format!(" {} |", cell.unwrap_or_default()));
        }
        text.push('\n');
    }
    text
}

/// The item whose cost a table shows, and how many counted things it is; `None` for units without items.
fn item(unit: Unit) -> Option<(f64, &'static str)> {
    match unit {
        Unit::Lines => Some((1e3, "1000 lines")),
        Unit::BytesPerSecond => Some((1e6, "MB")),
        Unit::Messages => Some((1.0, "message")),
        Unit::Requests => Some((1.0, "request")),
        Unit::Connections => Some((1.0, "connection")),
        Unit::Microseconds => Some((1.0, "answer")),
        Unit::Milliseconds | Unit::Bytes | Unit::BytesEach => None,
    }
}

/// Some workloads, and how many times as good as asyncio each way is: the median of the runs, and their extremes.
pub(crate) fn summary(runs: &[Run]) -> String {
    let mut text = format!(
        "Each figure compares a way with asyncio, measured in the same run: 2 is twice as good. A cell is the median of {} \
         runs at different times, and the least and the most of them. {}\n\n| |",
        runs.len(),
        choice(runs)
    );
    for (_, heading) in WAYS {
        text.push_str(&format!(" {heading} |"));
    }
    text.push_str(&format!("\n|---|{}\n", "--:|".repeat(WAYS.len())));
    let chosen = |workload: &Workload| SUMMARY.contains(&workload.name.as_str());
    for Workload { name, about, .. } in catalogue::all().into_iter().filter(chosen) {
        let times = WAYS.map(|(peer, _)| stored::times(runs, &name, peer, Peer::Asyncio));
        if times.iter().all(Option::is_none) {
            continue;
        }
        text.push_str(&format!("| {about} |"));
        for times in times {
            let cell = times.map(|times| {
                let [median, least, most] =
                    [times.median, times.least, times.most].map(with_three_digits);
                format!("{median} ({least} to {most})")
            });
            text.push_str(&format!(" {} |", cell.unwrap_or_default()));
        }
        text.push('\n');
    }
    for run in runs {
        text.push_str(&format!("\n{}", about(&run.machine)));
    }
    text
}

/// Returns the rule by which the published runs are chosen, and the start and the load of each.
pub(crate) fn choice(runs: &[Run]) -> String {
    let starts: Vec<String> = runs
        .iter()
        .map(|run| {
            let load = match run.machine.load_before.as_str() {
                "" => "unknown",
                load => load,
            };
            format!("{} (load {load}, {})", run.machine.date, run.pace)
        })
        .collect();
    format!(
        "They are the last whole runs that began at a load below {MAX_LOAD}: {}.",
        starts.join(", ")
    )
}

/// Returns the ratio of `ours` to a peer, or of `p2` where calls block; 2 is twice as good.
fn times(figures: &BTreeMap<Peer, Figure>, peer: Peer) -> Option<String> {
    let ours = figures
        .get(&Peer::Ours)
        .or_else(|| figures.get(&Peer::P2))?;
    let times = ours.times(figures.get(&peer)?);
    Some(with_three_digits(times))
}

fn about(machine: &Machine) -> String {
    let Machine {
        processor,
        cores,
        memory_gib,
        system,
        wasmtime,
        in_streams,
        rust,
        python,
        newest_python,
        uvloop,
        date,
        load_before,
    } = machine;
    let mut text = format!(
        "{date}: {processor}, {cores} cores, {memory_gib} GiB, {system}; {wasmtime}, wasmtime {in_streams} in `streams`, {rust}"
    );
    for (name, version) in [("", python), ("uvloop ", uvloop), ("", newest_python)] {
        if !version.is_empty() {
            text.push_str(&format!(", {name}{version}"));
        }
    }
    if !load_before.is_empty() {
        text.push_str(&format!(". Load before: {load_before}"));
    }
    text + ".\n"
}

fn cell(figure: &Figure) -> String {
    if figure.min == figure.max {
        return short(figure);
    }
    format!("{} ±{:.0} %", short(figure), figure.spread())
}

/// The median in the unit of [`column_unit`].
fn short(figure: &Figure) -> String {
    with_three_digits(match figure.unit {
        Unit::BytesPerSecond => figure.median / 1e6,
        Unit::Lines | Unit::Messages | Unit::Requests | Unit::Connections => figure.median / 1e3,
        Unit::Bytes | Unit::BytesEach => figure.median / 1024.0,
        Unit::Microseconds | Unit::Milliseconds => figure.median,
    })
}

fn with_three_digits(value: f64) -> String {
    let digits = if value < 9.995 {
        2
    } else {
        usize::from(value < 99.95)
    };
    format!("{value:.digits$}")
}

/// The unit of a column.
fn column_unit(unit: Unit) -> String {
    match unit {
        Unit::BytesPerSecond => "MB/s".to_owned(),
        Unit::Lines | Unit::Messages | Unit::Requests | Unit::Connections => {
            format!("1000 {}", unit.name())
        }
        Unit::Bytes | Unit::BytesEach => unit.name().replace("bytes", "KiB"),
        Unit::Microseconds | Unit::Milliseconds => unit.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Value;
    use crate::usage::Cost;

    fn results() -> Results {
        let figure = |values: &[f64]| {
            let cost = Some(Cost {
                microseconds: 0.125,
                switches: 0.002,
            });
            let value = |value: &f64| Value {
                value: *value,
                cost,
            };
            let values: Vec<Value> = values.iter().map(value).collect();
            Figure::of(&values, Unit::Lines).unwrap()
        };
        let lines = BTreeMap::from([
            (Peer::Ours, figure(&[900e3, 1000e3, 1100e3])),
            (Peer::Asyncio, figure(&[80e3])),
            (Peer::OursCall, figure(&[22e3])),
            (Peer::OursCallInStreams, figure(&[44e3])),
        ]);
        Results::from([("lines-64".to_owned(), lines)])
    }

    #[test]
    fn the_table_has_figures_and_ratios() {
        let machine = Machine {
            processor: "P".into(),
            python: "CPython 3".into(),
            date: "2026-11-30 05:02 UTC".into(),
            load_before: "1.27".into(),
            ..Machine::default()
        };
        let table = markdown(&machine, &results());
        let row = "| lines-64 | 1000 lines/s | 1000 ±10 % | 22.0 |  |  |  | 80.0 |  |  |  | 12.5 |  |  |  |";
        assert!(table.contains(row), "{table}");
        assert!(table.contains("P, 0 cores") && table.contains("CPython 3."));
        assert!(table.starts_with("2026-11-30 05:02 UTC: P"), "{table}");
        let row = "| lines-64 | 1000 lines/s |  |  | 44.0 | 2.00 |  |  |  |  |";
        assert!(table.contains(row), "{table}");
        let row = "| lines-64 | 1000 lines | 125 (2.00) |";
        assert!(table.contains(row), "{table}");
        assert!(!table.contains("| c |"), "{table}");
        let run = Run::new(&machine, &results()).made("5 × 500 ms".into(), true);
        let runs = vec![run; 3];
        let summary = summary(&runs);
        let row = "| lines of 64 bytes read | 12.5 (12.5 to 12.5) |  |  |  |  |  |  |";
        assert!(summary.contains(row), "{summary}");
        let choice = "at a load below 2: 2026-11-30 05:02 UTC (load 1.27, 5 × 500 ms), 2026";
        assert!(summary.contains(choice), "{summary}");
    }

    #[test]
    fn other_languages_are_compared_with_the_composed_program() {
        let mut results = results();
        let lines = results.get_mut("lines-64").unwrap();
        let figure = Figure::of(&[500e3.into()], Unit::Lines).unwrap();
        lines.insert(Peer::Cpp, figure);
        let table = in_other_languages(&results);
        let row = "| lines-64 | 1000 lines/s | 1000 ±10 % |  |  | 500 | 0.50 |  |  |";
        assert!(table.contains(row), "{table}");
        assert!(costs(&results).contains("| floor | cpp |"));
    }

    #[test]
    fn a_figure_has_three_digits() {
        let shown = [0.123, 9.994, 9.996, 12.34, 99.94, 99.96, 1234.5].map(with_three_digits);
        assert_eq!(
            shown,
            ["0.12", "9.99", "10.0", "12.3", "99.9", "100", "1234"]
        );
    }
}
