//! The results for people and for programs.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;
use serde_json::{Map, Value, json};

use super::figure::Figure;
use super::machine::Machine;
use super::peers::Peer;
use super::workload::{self, Unit, Workload};
use super::{Results, goals};
use crate::checkout;

/// Says at once what one workload gave.
pub(crate) fn print_line(workload: &Workload, figures: &BTreeMap<Peer, Figure>) {
    let mut line = format!("{:<28}", workload.name);
    for (peer, figure) in figures {
        line.push_str(&format!(
            "  {} {} ±{:.0} %",
            peer.name(),
            short(figure),
            figure.spread()
        ));
    }
    println!("{line}");
}

/// The results as `{"machine": ..., "results": {WORKLOAD: {PEER: {...}}}}`.
pub(crate) fn json(machine: &Machine, results: &Results) -> Result<String> {
    let by_peer = |figures: &BTreeMap<Peer, Figure>| -> Map<String, Value> {
        figures
            .iter()
            .map(|(peer, figure)| (peer.name().to_owned(), figure.json()))
            .collect()
    };
    let results: Map<String, Value> = results
        .iter()
        .map(|(workload, figures)| (workload.clone(), by_peer(figures).into()))
        .collect();
    let all = json!({"machine": serde_json::to_value(machine)?, "results": results});
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

/// The machine, and a table of all results.
pub(crate) fn markdown(machine: &Machine, results: &Results) -> String {
    let mut text = about(machine);
    text.push_str("\n| workload | unit |");
    let peers = Peer::value_variants();
    for peer in peers {
        text.push_str(&format!(" {} |", peer.name()));
    }
    text.push_str(" ours / asyncio | / uvloop | / tokio | / floor |\n|---|---|");
    text.push_str(&"--:|".repeat(peers.len() + 4));
    text.push('\n');
    for Workload { name, unit, .. } in workload::all() {
        let Some(figures) = results.get(&name) else {
            continue;
        };
        text.push_str(&format!("| {name} | {} |", column_unit(unit)));
        for peer in peers {
            let cell = figures.get(peer).map(cell).unwrap_or_default();
            text.push_str(&format!(" {cell} |"));
        }
        let ours = figures.get(&Peer::Ours);
        for peer in [Peer::Asyncio, Peer::Uvloop, Peer::Tokio, Peer::Floor] {
            let ratio = ours
                .zip(figures.get(&peer))
                .map(|(ours, other)| format!("{:.2}", ours.times(other)));
            text.push_str(&format!(" {} |", ratio.unwrap_or_default()));
        }
        text.push('\n');
    }
    text
}

fn about(machine: &Machine) -> String {
    let Machine {
        processor,
        cores,
        memory_gib,
        system,
        wasmtime,
        rust,
        python,
        uvloop,
        date,
    } = machine;
    let mut text = format!(
        "{date}, {processor}, {cores} cores, {memory_gib} GiB, {system}; {wasmtime}, {rust}"
    );
    for (name, version) in [("", python), ("uvloop ", uvloop)] {
        if !version.is_empty() {
            text.push_str(&format!(", {name}{version}"));
        }
    }
    text.push_str(".\n");
    text
}

fn cell(figure: &Figure) -> String {
    if figure.min == figure.max {
        return short(figure);
    }
    format!("{} ±{:.0} %", short(figure), figure.spread())
}

/// Three digits, in the unit of [`column_unit`].
fn short(figure: &Figure) -> String {
    let value = match figure.unit {
        Unit::BytesPerSecond => figure.median / 1e6,
        Unit::Lines | Unit::Messages | Unit::Connections => figure.median / 1e3,
        Unit::Bytes | Unit::BytesEach => figure.median / 1024.0,
        Unit::Microseconds | Unit::Milliseconds => figure.median,
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$}")
}

/// What the tables show a unit in.
fn column_unit(unit: Unit) -> String {
    match unit {
        Unit::BytesPerSecond => "MB/s".to_owned(),
        Unit::Lines | Unit::Messages | Unit::Connections => format!("1000 {}", unit.name()),
        Unit::Bytes | Unit::BytesEach => unit.name().replace("bytes", "KiB"),
        Unit::Microseconds | Unit::Milliseconds => unit.name().to_owned(),
    }
}

/// Puts the results between the marks of the documents.
///
/// # Errors
/// When a document cannot be read or written, or has no marks.
pub(crate) fn publish(machine: &Machine, results: &Results, svg: &str) -> Result<()> {
    let tables = format!("{}\n{}", markdown(machine, results), goals::table(results));
    let docs = checkout::root().join("docs");
    std::fs::write(docs.join("benchmarks.svg"), svg)?;
    let file = docs.join("benchmarks.md");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    std::fs::write(&file, between_marks(&text, &tables)?)?;
    Ok(())
}

fn between_marks(text: &str, new: &str) -> Result<String> {
    const BEGIN: &str = "<!-- results: `cargo xtask bench --publish` writes them -->\n";
    const END: &str = "<!-- end of results -->";
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        bail!("the document has no place for results");
    };
    let begin = begin + BEGIN.len();
    let (Some(before), Some(after)) = (text.get(..begin), text.get(end.max(begin)..)) else {
        bail!("the document has no place for results");
    };
    Ok(format!("{before}\n{new}\n{after}"))
}
