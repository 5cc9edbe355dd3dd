//! The workloads.

use anyhow::{Result, bail};

use super::workload::{Unit, Work, Workload};

/// The prefix of workloads with protected connections.
const TLS: &str = "tls-";

/// The prefix of workloads with calls that block.
const BLOCKING: &str = "p2-";

/// The workloads of the summary.
pub(crate) const SUMMARY: [&str; 10] = [
    "lines-64",
    "bulk-in",
    "bulk-out",
    "echo-client-1k-1",
    "echo-server-1k-50",
    "write-write-read",
    "accept",
    "idle-10000",
    "wakeup-10000",
    "start",
];

/// All workloads, in the order of the tables.
pub(crate) fn all() -> Vec<Workload> {
    let mut all = Vec::new();
    let mut add = |name: &str, about: &str, unit, work| {
        all.push(Workload {
            tls: name.starts_with(TLS),
            blocking: name.starts_with(BLOCKING),
            name: name.to_owned(),
            about: about.to_owned(),
            work,
            unit,
        });
    };
    let client = |kind, load, size| Work::Client {
        kind,
        load,
        size,
        connections: 1,
    };
    add(
        "lines-64",
        "lines of 64 bytes read",
        Unit::Lines,
        client("lines", "lines", 64),
    );
    add(
        "lines-1k",
        "lines of 1 KiB read",
        Unit::Lines,
        client("lines", "lines", 1 << 10),
    );
    add(
        "until-crlf",
        "lines of 64 bytes read by a separator of two bytes",
        Unit::Lines,
        client("until", "separators", 64),
    );
    add(
        "bulk-in",
        "bytes received",
        Unit::BytesPerSecond,
        client("bulk-in", "source", 1),
    );
    add(
        "bulk-out",
        "bytes sent",
        Unit::BytesPerSecond,
        client("bulk-out", "sink", 64 << 10),
    );
    for (side, is_client) in [("client", true), ("server", false)] {
        for (label, size) in [("1k", 1 << 10), ("10k", 10 << 10), ("100k", 100 << 10)] {
            for (connections, on) in [(1, "one connection"), (50, "50 connections")] {
                let work = if is_client {
                    Work::Client {
                        kind: "echo",
                        load: "echo",
                        size,
                        connections,
                    }
                } else {
                    Work::Server {
                        kind: "echo",
                        client: "echo",
                        size,
                        connections,
                    }
                };
                add(
                    &format!("echo-{side}-{label}-{connections}"),
                    &format!(
                        "messages of {} KiB there and back, as {side}, on {on}",
                        size >> 10
                    ),
                    Unit::Messages,
                    work,
                );
            }
        }
    }
    for (name, kind, about) in [
        (
            "write-read",
            "write-read",
            "128 bytes written at once, as many read",
        ),
        (
            "write-write-read",
            "write-write-read",
            "128 bytes written in two parts, as many read",
        ),
        (
            "write-drain-write-drain-read",
            "write-drain",
            "128 bytes written in two parts with a drain after each, as many read",
        ),
    ] {
        add(name, about, Unit::Microseconds, client(kind, "answer", 128));
    }
    add(
        "connect",
        "connections opened, greeted with a byte and closed, one after the other",
        Unit::Connections,
        client("connect", "greet", 0),
    );
    let greet = Work::Server {
        kind: "greet",
        client: "connect",
        size: 0,
        connections: 16,
    };
    add(
        "accept",
        "connections accepted, greeted with a byte and closed, from 16 at once",
        Unit::Connections,
        greet,
    );
    for n in [1000, 10_000] {
        add(
            &format!("idle-{n}"),
            &format!("process memory for each of {n} waiting connections"),
            Unit::BytesEach,
            Work::Idle(n),
        );
    }
    add(
        "idle-linear-10000",
        "linear memory for each of 10000 waiting connections",
        Unit::BytesEach,
        Work::Linear(10_000),
    );
    for n in [100, 10_000] {
        add(
            &format!("wakeup-{n}"),
            &format!("a byte there and back on one of {n} connections"),
            Unit::Microseconds,
            Work::WakeUp(n),
        );
    }
    add(
        "start",
        "from the start of the program to its first byte",
        Unit::Milliseconds,
        Work::Start,
    );
    add(
        "size",
        "streams.wasm",
        Unit::Bytes,
        Work::Size("streams.wasm"),
    );
    add(
        "p2-lines-64",
        "lines of 64 bytes read by calls that block",
        Unit::Lines,
        client("lines", "lines", 64),
    );
    for (name, about, connections) in [
        (
            "p2-echo-client-1k-1",
            "messages of 1 KiB there and back by calls that block, on one connection",
            1,
        ),
        (
            "p2-echo-client-1k-50",
            "messages of 1 KiB there and back by calls that block, on 50 connections",
            50,
        ),
    ] {
        let work = Work::Client {
            kind: "echo",
            load: "echo",
            size: 1 << 10,
            connections,
        };
        add(name, about, Unit::Messages, work);
    }
    add(
        "p2-bulk-in",
        "bytes received by calls that block",
        Unit::BytesPerSecond,
        client("bulk-in", "source", 1),
    );
    add(
        "p2-bulk-out",
        "bytes sent by calls that block",
        Unit::BytesPerSecond,
        client("bulk-out", "sink", 64 << 10),
    );
    add(
        "p2-idle-10000",
        "process memory for each of 10000 waiting connections of a server whose calls block",
        Unit::BytesEach,
        Work::Idle(10_000),
    );
    add(
        "p2-size",
        "streams-p2.wasm",
        Unit::Bytes,
        Work::Size("streams-p2.wasm"),
    );
    add(
        "tls-bulk-in",
        "bytes received by TLS",
        Unit::BytesPerSecond,
        client("bulk-in", "source", 1),
    );
    add(
        "tls-bulk-out",
        "bytes sent by TLS",
        Unit::BytesPerSecond,
        client("bulk-out", "sink", 64 << 10),
    );
    add(
        "tls-connect",
        "connections opened by a whole handshake, greeted with a byte and closed, one after the other",
        Unit::Connections,
        client("connect", "greet", 0),
    );
    add(
        "tls-accept",
        "connections accepted by a whole handshake, greeted with a byte and closed, from 16 at once",
        Unit::Connections,
        greet,
    );
    add(
        "tls-echo-server-1k-50",
        "messages of 1 KiB there and back by TLS, as server, on 50 connections",
        Unit::Messages,
        Work::Server {
            kind: "echo",
            client: "echo",
            size: 1 << 10,
            connections: 50,
        },
    );
    add(
        "tls-idle-1000",
        "process memory for each of 1000 waiting connections with TLS",
        Unit::BytesEach,
        Work::Idle(1000),
    );
    add(
        "tls-idle-linear-1000",
        "linear memory for each of 1000 waiting connections with TLS",
        Unit::BytesEach,
        Work::Linear(1000),
    );
    add(
        "tls-size",
        "streams-tls.wasm",
        Unit::Bytes,
        Work::Size("streams-tls.wasm"),
    );
    for (name, about, unit, kind, load, size) in [
        (
            "python-readline",
            "lines of 64 bytes read in Python",
            Unit::Lines,
            "readline",
            "lines",
            64,
        ),
        (
            "python-async-for",
            "the same by `async for`",
            Unit::Lines,
            "async-for",
            "lines",
            64,
        ),
        (
            "python-echo",
            "messages of 1 KiB there and back in Python",
            Unit::Messages,
            "echo",
            "echo",
            1 << 10,
        ),
    ] {
        add(name, about, unit, Work::Python { kind, load, size });
    }
    add(
        "python-requests-50",
        "requests to a Starlette application by uvicorn, on 50 connections",
        Unit::Requests,
        Work::Requests(50),
    );
    all
}

/// The workload that does the same by calls that do not block.
pub(crate) fn unblocked(name: &str) -> &str {
    name.strip_prefix(BLOCKING).unwrap_or(name)
}

/// The named workloads, in the order of the tables; all if no name is given.
///
/// # Errors
/// An unknown name. The error lists the workloads.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Workload>> {
    let all = all();
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|workload| workload.name != **name))
    {
        bail!("there is no workload {unknown:?}.\n{}", help());
    }
    let wanted = |workload: &Workload| names.is_empty() || names.contains(&workload.name);
    Ok(all.into_iter().filter(wanted).collect())
}

/// The list of workloads for the help text.
pub(crate) fn help() -> String {
    let mut help = String::from("Workloads:\n");
    for Workload {
        name, about, unit, ..
    } in all()
    {
        help.push_str(&format!("  {name:<28} {about} ({})\n", unit.name()));
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_the_same() {
        let names: Vec<String> = all().into_iter().map(|workload| workload.name).collect();
        let echo = |side: &str| {
            ["1k-1", "1k-50", "10k-1", "10k-50", "100k-1", "100k-50"]
                .map(|of| format!("echo-{side}-{of}"))
        };
        let mut expected: Vec<String> =
            ["lines-64", "lines-1k", "until-crlf", "bulk-in", "bulk-out"]
                .map(String::from)
                .into();
        expected.extend(echo("client"));
        expected.extend(echo("server"));
        expected.extend(
            [
                "write-read",
                "write-write-read",
                "write-drain-write-drain-read",
                "connect",
                "accept",
                "idle-1000",
                "idle-10000",
                "idle-linear-10000",
                "wakeup-100",
                "wakeup-10000",
                "start",
                "size",
                "p2-lines-64",
                "p2-echo-client-1k-1",
                "p2-echo-client-1k-50",
                "p2-bulk-in",
                "p2-bulk-out",
                "p2-idle-10000",
                "p2-size",
                "tls-bulk-in",
                "tls-bulk-out",
                "tls-connect",
                "tls-accept",
                "tls-echo-server-1k-50",
                "tls-idle-1000",
                "tls-idle-linear-1000",
                "tls-size",
                "python-readline",
                "python-async-for",
                "python-echo",
                "python-requests-50",
            ]
            .map(String::from),
        );
        assert_eq!(names, expected);
    }

    #[test]
    fn some_are_chosen_by_name() {
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names).map(|chosen| {
                chosen
                    .into_iter()
                    .map(|workload| workload.name)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(chosen(&["size", "bulk-in"]).unwrap(), ["bulk-in", "size"]);
        assert_eq!(chosen(&[]).unwrap().len(), all().len());
        let error = chosen(&["lines-64", "bulk"]).unwrap_err().to_string();
        assert!(
            error.contains("\"bulk\"") && error.contains("echo-server-100k-50"),
            "{error}"
        );
    }

    #[test]
    fn the_summary_names_existing_workloads() {
        let all = all();
        for name in SUMMARY {
            assert!(all.iter().any(|workload| workload.name == name), "{name}");
        }
    }
}
