//! Describes the machine, and measures the memory of a process. Only Linux reports all of it.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use xtask::{checkout, process};

use crate::peers::Peers;

/// The machine of the results.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) system: String,
    pub(crate) wasmtime: String,
    /// The version of wasmtime that the program `streams` contains.
    #[serde(default)]
    pub(crate) in_streams: String,
    pub(crate) rust: String,
    /// Empty without Python.
    pub(crate) python: String,
    /// The newest Python, which runs the workloads in Python. Empty without Python.
    pub(crate) newest_python: String,
    /// Empty without uvloop.
    pub(crate) uvloop: String,
    /// The date and the time of day at which the run began, in UTC.
    pub(crate) date: String,
    /// The load average of the minute before; empty where the system does not report it.
    pub(crate) load_before: String,
}

/// The time at which a run begins, and the load then.
pub(crate) struct Start {
    date: String,
    load_before: String,
}

impl Start {
    /// Returns the time and the load of this moment.
    pub(crate) fn now() -> Self {
        let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Start {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            load_before: loads.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

/// Describes this machine, for a run with this start.
pub(crate) fn describe(peers: &Peers, start: Start) -> Machine {
    let proc = |file: &str, field: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        field_of(&text, field).unwrap_or_default().to_owned()
    };
    let python = peers.python.as_ref();
    Machine {
        processor: proc("/proc/cpuinfo", "model name"),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        memory_gib: kib(&proc("/proc/meminfo", "MemTotal")).unwrap_or_default() >> 20,
        system: said("uname", &["-sr"]),
        wasmtime: peers.wasmtime_version(),
        in_streams: locked("wasmtime").unwrap_or_default(),
        rust: process::output_of(Command::new(checkout::rustc()).arg("--version"))
            .unwrap_or_default(),
        python: python
            .map(|python| python.version.clone())
            .unwrap_or_default(),
        newest_python: peers
            .in_python
            .as_ref()
            .map(|found| format!("CPython {} in the workloads in Python", found.version))
            .unwrap_or_default(),
        uvloop: python
            .and_then(|python| python.uvloop.clone())
            .unwrap_or_default(),
        date: start.date,
        load_before: start.load_before,
    }
}

/// Returns the version of a package in Cargo.lock.
fn locked(package: &str) -> Option<String> {
    let lock = fs::read_to_string(checkout::root().join("Cargo.lock")).ok()?;
    let (_, found) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(found.split('"').next()?.to_owned())
}

/// Returns the maximum of open files and sockets of a process; `None` without a limit.
pub(crate) fn descriptor_limit() -> Option<usize> {
    let limit = process::output_of(Command::new("sh").args(["-c", "ulimit -H -n"]))?;
    limit.parse().ok()
}

/// The resident memory of a process, in bytes.
///
/// # Errors
/// When the system does not report it.
pub(crate) fn resident_memory(process: u32) -> Result<u64> {
    let text = read(process, "status")?;
    let kib = field_of(&text, "VmRSS")
        .and_then(kib)
        .context("its status does not say its memory")?;
    Ok(kib << 10)
}

/// Returns the size of all linear memories of a process that runs components, in bytes.
///
/// # Errors
/// When the system does not report it, or no linear memory is found.
pub(crate) fn linear_memory(process: u32) -> Result<u64> {
    linear_bytes(&read(process, "maps")?).context("it has nothing that looks like a linear memory")
}

/// Returns the output of a program; empty if it fails.
fn said(program: &str, arguments: &[&str]) -> String {
    process::output_of(Command::new(program).args(arguments)).unwrap_or_default()
}

fn read(process: u32, file: &str) -> Result<String> {
    let file = format!("/proc/{process}/{file}");
    fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))
}

fn field_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == name).then(|| value.trim())
    })
}

fn kib(value: &str) -> Option<u64> {
    value.strip_suffix("kB")?.trim().parse().ok()
}

/// wasmtime reserves 4 GiB for a memory and makes its beginning accessible. A linear memory is therefore an
/// accessible range directly before gigabytes that are inaccessible.
fn linear_bytes(maps: &str) -> Option<u64> {
    const RESERVED: u64 = 2 << 30;
    let (mut total, mut accessible, mut end) = (None, 0, 0);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (first, last) = words.next()?.split_once('-')?;
        let (first, last) = (
            u64::from_str_radix(first, 16).ok()?,
            u64::from_str_radix(last, 16).ok()?,
        );
        let permissions = words.next()?;
        if first != end {
            accessible = 0;
        }
        end = last;
        if permissions.starts_with("rw-") {
            accessible += last - first;
            continue;
        }
        if permissions.starts_with("---") && last - first >= RESERVED && accessible > 0 {
            *total.get_or_insert(0) += accessible;
        }
        accessible = 0;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_with_any_white_space() {
        let text = "Name:\tx\nVmRSS:\t   5124 kB\nmodel name  : A Processor\n";
        assert_eq!(field_of(text, "VmRSS").and_then(kib), Some(5124));
        assert_eq!(field_of(text, "model name"), Some("A Processor"));
        assert_eq!(field_of(text, "Vm"), None);
    }

    #[test]
    fn a_linear_memory_precedes_inaccessible_gigabytes() {
        // Two memories, of 0x30000 bytes in two parts and of 0x10000; a stack with its guard; the heap.
        let maps = "\
            555500000000-555500021000 rw-p 00000000 00:00 0 [heap]\n\
            7f0000000000-7f0000010000 rw-p 00000000 00:01 77 /memfd:image (deleted)\n\
            7f0000010000-7f0000030000 rw-p 00000000 00:00 0 \n\
            7f0000030000-7f0102000000 ---p 00000000 00:00 0 \n\
            7f0202000000-7f0202010000 rw-p 00000000 00:00 0 \n\
            7f0202010000-7f0304000000 ---p 00000000 00:00 0 \n\
            7f0400000000-7f0400001000 ---p 00000000 00:00 0 \n\
            7f0400001000-7f0400801000 rw-p 00000000 00:00 0 \n";
        assert_eq!(linear_bytes(maps), Some(0x40000));
        assert_eq!(linear_bytes("7f0000000000-7f0000010000 rw-p 0 0 0\n"), None);
    }
}
