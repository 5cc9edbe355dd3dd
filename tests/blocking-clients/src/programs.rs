//! The programs, by name.

use crate::started::Started;
use crate::{Failure, Result, cli, executor};

/// Includes programs by their names.
macro_rules! programs {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(#[path = $file] mod $name;)*

        const PROGRAMS: &[(&str, fn() -> Started)] = &[$((stringify!($name), $name::start)),*];
    };
}

programs! {
    buffer: "../../programs/programs/buffer.rs",
    close: "../../programs/programs/close.rs",
    fault_byte_by_byte: "../../programs/programs/fault_byte_by_byte.rs",
    fault_descriptors: "../../programs/programs/fault_descriptors.rs",
    fault_endless: "../../programs/programs/fault_endless.rs",
    fault_garbage: "../../programs/programs/fault_garbage.rs",
    fault_half_close: "../../programs/programs/fault_half_close.rs",
    fault_never_reads: "../../programs/programs/fault_never_reads.rs",
    fault_reset_accepting: "../../programs/programs/fault_reset_accepting.rs",
    fault_reset_after_end: "../../programs/programs/fault_reset_after_end.rs",
    fault_reset_connecting: "../../programs/programs/fault_reset_connecting.rs",
    fault_reset_in_flight: "../../programs/programs/fault_reset_in_flight.rs",
    fault_reset_reading: "../../programs/programs/fault_reset_reading.rs",
    fault_reset_writing: "../../programs/programs/fault_reset_writing.rs",
    limit_overrun: "../../programs/programs/limit_overrun.rs",
    peer_http: "../../programs/programs/peer_http.rs",
    peer_nginx: "../../programs/programs/peer_nginx.rs",
    peer_redis: "../../programs/programs/peer_redis.rs",
    peer_smtp: "../../programs/programs/peer_smtp.rs",
    read: "../../programs/programs/read.rs",
    readexactly: "../../programs/programs/readexactly.rs",
    readline: "../../programs/programs/readline.rs",
    readuntil: "../../programs/programs/readuntil.rs",
    write_eof: "../../programs/programs/write_eof.rs",
}

/// Runs the program that the first argument names.
pub(crate) fn run() -> Result {
    let arguments = cli::all_arguments();
    let name = arguments.first().map_or("", String::as_str);
    match PROGRAMS.iter().find(|(known, _)| *known == name) {
        Some((_, start)) => executor::run(start()),
        None => Err(Failure::new(format_args!("there is no program {name:?}"))),
    }
}
