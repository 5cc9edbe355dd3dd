//! The goals, and whether the results reach them.

use super::catalogue;
use super::figure::Figure;
use super::peer::Peer;
use super::stored::{self, Run};

/// A bound for a figure.
enum Goal {
    /// At least this many times as good as the peer.
    Times(Peer, f64),
    /// At most this many times the peer's processor time for each item.
    TimesTheCost(Peer, f64),
    /// At most this many times the same peer's figure of another workload.
    AtMostOther(&'static str, f64),
    /// At most this value.
    AtMost(f64),
}

/// A goal for one of the project's peers.
struct Aim {
    workload: &'static str,
    of: Peer,
    goal: Goal,
}

fn aims() -> Vec<Aim> {
    use Goal::{AtMost, AtMostOther, Times, TimesTheCost};
    use Peer::{
        Asyncio, Floor, FloorInStreams, Linked, LinkedInStreams, Ours, OursCall, OursCallInStreams,
        OursInStreams, P2, P2InStreams, P2Plain, Tokio, Uvloop,
    };
    let mut aims = Vec::new();
    let mut add = |workload, of, goals: Vec<Goal>| {
        aims.extend(goals.into_iter().map(|goal| Aim { workload, of, goal }));
    };
    add(
        "lines-64",
        Ours,
        vec![Times(Asyncio, 10.0), Times(Tokio, 0.5)],
    );
    add("lines-64", OursCall, vec![Times(Asyncio, 1.5)]);
    add("lines-64", OursCallInStreams, vec![Times(Asyncio, 4.0)]);
    add("lines-64", Linked, vec![Times(Floor, 0.9)]);
    add(
        "bulk-in",
        Ours,
        vec![Times(Floor, 0.9), Times(Tokio, 0.7), Times(Asyncio, 3.0)],
    );
    add(
        "bulk-out",
        Ours,
        vec![Times(Floor, 0.7), Times(Tokio, 0.5), Times(Asyncio, 3.0)],
    );
    add(
        "echo-client-1k-1",
        OursInStreams,
        vec![Times(Asyncio, 1.5), Times(Uvloop, 1.0)],
    );
    add(
        "echo-client-1k-1",
        Linked,
        vec![Times(Floor, 0.9), Times(Uvloop, 1.3)],
    );
    add(
        "echo-server-1k-50",
        OursInStreams,
        vec![
            Times(Asyncio, 2.0),
            Times(Uvloop, 0.95),
            Times(FloorInStreams, 0.7),
        ],
    );
    add(
        "echo-server-1k-50",
        Linked,
        vec![Times(Floor, 0.9), Times(Uvloop, 1.1)],
    );
    for workload in ["echo-server-100k-1", "echo-server-100k-50"] {
        add(workload, OursInStreams, vec![Times(Asyncio, 1.3)]);
    }
    for workload in [
        "echo-client-100k-1",
        "echo-client-100k-50",
        "echo-server-100k-1",
        "echo-server-100k-50",
    ] {
        add(workload, Ours, vec![Times(Asyncio, 2.0)]);
    }
    add(
        "write-write-read",
        Ours,
        vec![AtMostOther("write-read", 1.1)],
    );
    add(
        "write-drain-write-drain-read",
        Ours,
        vec![AtMostOther("write-read", 1.1)],
    );
    add("accept", Ours, vec![Times(Asyncio, 1.0)]);
    add("accept", OursInStreams, vec![Times(Asyncio, 1.3)]);
    add("accept", Linked, vec![Times(Floor, 0.8)]);
    add(
        "accept",
        LinkedInStreams,
        vec![Times(FloorInStreams, 0.8), Times(Uvloop, 1.05)],
    );
    add("idle-linear-10000", Ours, vec![AtMost(4.0 * 1024.0)]);
    add("idle-10000", Ours, vec![AtMost(16.0 * 1024.0)]);
    add("idle-10000", Linked, vec![AtMost(6.0 * 1024.0)]);
    add(
        "wakeup-10000",
        OursInStreams,
        vec![AtMostOther("wakeup-100", 1.2)],
    );
    add("size", Ours, vec![AtMost(200.0 * 1024.0)]);
    add("p2-lines-64", P2, vec![Times(Asyncio, 1.3)]);
    add("p2-lines-64", P2Plain, vec![Times(Asyncio, 3.0)]);
    for workload in ["p2-echo-client-1k-1", "p2-echo-client-1k-50"] {
        for peer in [P2, P2InStreams] {
            add(
                workload,
                peer,
                vec![Times(Asyncio, 2.0), Times(Uvloop, 0.9)],
            );
        }
    }
    add("p2-bulk-in", P2, vec![Times(Asyncio, 0.6)]);
    add("p2-bulk-out", P2, vec![Times(Asyncio, 0.6)]);
    add("p2-idle-10000", P2, vec![AtMost(3.0 * 1024.0)]);
    add("p2-size", P2, vec![AtMost(250_000.0)]);
    add("tls-bulk-in", Ours, vec![Times(Floor, 0.9)]);
    add("tls-bulk-out", Ours, vec![Times(Floor, 0.9)]);
    add("tls-idle-linear-1000", Ours, vec![AtMost(48.0 * 1024.0)]);
    add("tls-size", Ours, vec![AtMost(1_300_000.0)]);
    add("python-readline", OursInStreams, vec![Times(Asyncio, 2.2)]);
    add("python-async-for", OursInStreams, vec![Times(Asyncio, 2.2)]);
    add("python-echo", OursInStreams, vec![Times(Asyncio, 1.1)]);
    add(
        "python-requests-50",
        OursInStreams,
        vec![TimesTheCost(Asyncio, 2.0)],
    );
    aims
}

/// A goal's value in one run.
struct Outcome {
    goal: String,
    reached: f64,
    digits: usize,
    met: bool,
}

/// A Markdown table of the goals whose two sides were measured in all runs, and what native code reaches. A value is the median of
/// the runs, with their extremes; a goal is met if it was met in each of them.
pub(crate) fn table(runs: &[Run]) -> String {
    let mut table = String::from(
        "| workload | peer | goal | reached | by tokio | met |\n|---|---|---|---|---|---|\n",
    );
    for aim in aims() {
        let outcomes = runs.iter().map(|run| aim.outcome(run));
        let Some(outcomes) = outcomes.collect::<Option<Vec<_>>>() else {
            continue;
        };
        let Some((first, values)) = outcomes.first().zip(spread(&outcomes)) else {
            continue;
        };
        let shown = values.map(|value| format!("{value:.0$}", first.digits));
        let reached = match &shown {
            [median, least, most] if least != most => format!("{median} ({least} to {most})"),
            [median, ..] => median.clone(),
        };
        let met = match outcomes.iter().filter(|outcome| outcome.met).count() {
            0 => "**no**".to_owned(),
            all if all == runs.len() => "yes".to_owned(),
            some => format!("in {some} of {} runs", runs.len()),
        };
        let native = aim.native(runs).unwrap_or_default();
        let (workload, peer, goal) = (aim.workload, aim.of.name(), &first.goal);
        table.push_str(&format!(
            "| {workload} | {peer} | {goal} | {reached} | {native} | {met} |\n"
        ));
    }
    table
}

/// Returns the median, the least and the most value.
fn spread(outcomes: &[Outcome]) -> Option<[f64; 3]> {
    let mut values: Vec<f64> = outcomes.iter().map(|outcome| outcome.reached).collect();
    values.sort_by(f64::total_cmp);
    Some([
        *values.get(values.len() / 2)?,
        *values.first()?,
        *values.last()?,
    ])
}

impl Aim {
    /// Returns the ratio that the native program on tokio reaches, for goals that compare with another peer. Workloads
    /// with calls that block have no such peer, so the ratio is that of the same work without them.
    fn native(&self, runs: &[Run]) -> Option<String> {
        let Goal::Times(peer, _) = self.goal else {
            return None;
        };
        let workload = catalogue::unblocked(self.workload);
        let times = stored::times(runs, workload, Peer::Tokio, peer)?;
        (peer != Peer::Tokio).then(|| format!("{:.2}", times.median))
    }

    /// The goal, the reached value, and whether it is met.
    fn outcome(&self, run: &Run) -> Option<Outcome> {
        let ours = run.figure(self.workload, self.of)?;
        let (goal, reached, digits, met) = match self.goal {
            Goal::Times(peer, least) => {
                let times = ours.times(&run.figure(self.workload, peer)?);
                let goal = format!("≥ {least} × {}", peer.name());
                (goal, times, 2, times >= least)
            }
            Goal::TimesTheCost(peer, most) => {
                let cost = |figure: Figure| Some(figure.cost?.microseconds);
                let times = cost(ours)? / cost(run.figure(self.workload, peer)?)?;
                let goal = format!("≤ {most} × the CPU of {}", peer.name());
                (goal, times, 2, times <= most)
            }
            Goal::AtMostOther(other, most) => {
                let times = ours.median / run.figure(other, self.of)?.median;
                (format!("≤ {most} × {other}"), times, 2, times <= most)
            }
            Goal::AtMost(most) => {
                let goal = format!("≤ {most} {}", ours.unit.name());
                (goal, ours.median, 0, ours.median <= most)
            }
        };
        Some(Outcome {
            goal,
            reached,
            digits,
            met,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Results;
    use crate::figure::Value;
    use crate::machine::Machine;
    use crate::usage::Cost;
    use crate::workload::Unit;

    #[test]
    fn goals_name_existing_workloads() {
        let all = catalogue::all();
        let has = |name: &str, peer: Peer| {
            all.iter()
                .any(|workload| workload.name == name && workload.has(peer))
        };
        for aim in aims() {
            assert!(has(aim.workload, aim.of), "{}", aim.workload);
            match aim.goal {
                Goal::Times(peer, _) | Goal::TimesTheCost(peer, _) => {
                    assert!(has(aim.workload, peer))
                }
                Goal::AtMostOther(other, _) => assert!(has(other, aim.of)),
                Goal::AtMost(_) => {}
            }
        }
    }

    #[test]
    fn each_kind_is_judged() {
        let mut results = Results::new();
        let mut put = |workload: &str, peer, value: f64, unit| {
            let cost = Cost {
                microseconds: value / 2.0,
                switches: 1.0,
            };
            let value = Value {
                value,
                cost: Some(cost),
            };
            let figure = Figure::of(&[value], unit).unwrap();
            results
                .entry(workload.to_owned())
                .or_default()
                .insert(peer, figure);
        };
        put("lines-64", Peer::Ours, 900.0, Unit::Lines);
        put("lines-64", Peer::Asyncio, 100.0, Unit::Lines);
        put("lines-64", Peer::Tokio, 1000.0, Unit::Lines);
        put("p2-lines-64", Peer::P2, 150.0, Unit::Lines);
        put("p2-lines-64", Peer::Asyncio, 100.0, Unit::Lines);
        put("wakeup-100", Peer::OursInStreams, 10.0, Unit::Microseconds);
        put(
            "wakeup-10000",
            Peer::OursInStreams,
            11.0,
            Unit::Microseconds,
        );
        put("size", Peer::Ours, 300_000.0, Unit::Bytes);
        put(
            "python-requests-50",
            Peer::OursInStreams,
            1500.0,
            Unit::Requests,
        );
        put("python-requests-50", Peer::Asyncio, 1000.0, Unit::Requests);
        let table = table(&[Run::new(&Machine::default(), &results)]);
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| lines-64 | ours | ≥ 10 × asyncio | 9.00 | 10.00 | **no** |",
                "| lines-64 | ours | ≥ 0.5 × tokio | 0.90 |  | yes |",
                "| wakeup-10000 | ours@streams | ≤ 1.2 × wakeup-100 | 1.10 |  | yes |",
                "| size | ours | ≤ 204800 bytes | 300000 |  | **no** |",
                "| p2-lines-64 | p2 | ≥ 1.3 × asyncio | 1.50 | 10.00 | yes |",
                "| python-requests-50 | ours@streams | ≤ 2 × the CPU of asyncio | 1.50 |  | yes |",
            ]
        );
    }
    #[test]
    fn a_goal_is_met_if_every_run_meets_it() {
        let run = |ours: f64| {
            let figures =
                [(Peer::OursInStreams, ours), (Peer::Asyncio, 10.0)].map(|(peer, value)| {
                    (
                        peer,
                        Figure::of(&[value.into()], Unit::Connections).unwrap(),
                    )
                });
            let results = Results::from([("accept".to_owned(), figures.into())]);
            Run::new(&Machine::default(), &results)
        };
        let line = |runs: &[f64]| {
            let runs: Vec<Run> = runs.iter().copied().map(run).collect();
            table(&runs).lines().nth(2).unwrap().to_owned()
        };
        for (runs, end) in [
            ([13.0, 15.0, 14.0], "1.40 (1.30 to 1.50) |  | yes |"),
            (
                [12.0, 15.0, 14.0],
                "1.40 (1.20 to 1.50) |  | in 2 of 3 runs |",
            ),
            ([9.0, 12.0, 12.0], "1.20 (0.90 to 1.20) |  | **no** |"),
        ] {
            let goal = "| accept | ours@streams | ≥ 1.3 × asyncio |";
            assert_eq!(line(&runs), format!("{goal} {end}"));
        }
    }
}
