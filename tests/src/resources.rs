//! The resources that a process uses, and their limits. Linux only.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Lets this process, and those that it starts later, have `wanted` descriptors open at once. Returns false when the
/// system does not permit so many.
pub fn raise_descriptors(wanted: u64) -> bool {
    let now = getrlimit(Resource::Nofile);
    // `None` is no limit.
    let fits = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if fits(now.current) {
        return true;
    }
    let raised = |maximum| {
        let limit = Rlimit {
            current: Some(wanted),
            maximum,
        };
        setrlimit(Resource::Nofile, limit).is_ok()
    };
    // Raising the maximum requires a privilege.
    raised(if fits(now.maximum) {
        now.maximum
    } else {
        Some(wanted)
    })
}

/// Sets how many descriptors a process may have. Those that are open beyond the limit stay open.
///
/// # Panics
/// When the process belongs to another user.
pub fn limit_descriptors(process: u32, limit: u64) {
    let limit = Rlimit {
        current: Some(limit),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    prlimit(Some(id(process)), Resource::Nofile, limit).expect("a limit for the process");
}

/// Returns the number of open descriptors of a process.
///
/// # Panics
/// When there is no such process.
pub fn open_descriptors(process: u32) -> u64 {
    let folder = fs::read_dir(format!("/proc/{process}/fd")).expect("the process' descriptors");
    u64::try_from(folder.count()).expect("a number")
}

/// Returns the processor time that a process has used, in all its threads.
///
/// # Panics
/// When there is no such process.
pub fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process' figures");
    // The name, in parentheses, may hold anything; user and system time are fields 14 and 15 (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(')').expect("its name");
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a time"))
        .sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The private memory of a process, in bytes: allocated and not freed. Mapped files do not count
/// (proc_pid_status(5)).
///
/// # Panics
/// When there is no such process.
pub fn own_memory(process: u32) -> u64 {
    figure(process, "RssAnon:")
}

/// The peak of a process' resident memory, in bytes.
///
/// # Panics
/// When there is no such process.
pub fn peak_memory(process: u32) -> u64 {
    figure(process, "VmHWM:")
}

fn figure(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("its figures");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).expect("a figure");
    kib * 1024
}

fn id(process: u32) -> Pid {
    i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process")
}
