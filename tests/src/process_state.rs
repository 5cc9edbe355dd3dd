//! The inherited state of a process, set to the values that its tests rely on.

use std::process::Command;

/// Variables that make `wasmtime` print more, or work more, than by default.
const VARIABLES: [&str; 4] = [
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "WASMTIME_BACKTRACE_DETAILS",
];

/// Starts `command` with the default signals of a terminal, however the tests were started. A shell ignores SIGINT in
/// processes that it runs in the background (`cargo xtask test &` in a script), `nohup` ignores SIGHUP, and child
/// processes inherit that. Variables that change the output are removed.
pub fn set(command: &mut Command) {
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    #[cfg(unix)]
    default_signals(command);
}

#[cfg(unix)]
fn default_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    let set = || {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            // SAFETY: `signal` is async-signal-safe, and SIG_DFL is a valid disposition.
            if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: the closure calls only `signal` and reads `errno`; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(set) };
}
