use wasmtime::{Trap, WasmBacktrace};

use crate::engine::one_line;
use crate::text::{self, Escaped};

/// Why a program did not run to its end.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Nothing more could happen, and it had not returned: see
    /// [`fail_when_stuck`](crate::Command::fail_when_stuck).
    #[error(
        "{} is stuck: it waits for something that cannot happen any more",
        Escaped(program)
    )]
    Stuck {
        /// The program.
        program: String,
    },
    /// It trapped, or a part of the host failed under it.
    #[error("{} trapped: {cause}", Escaped(program))]
    Trapped {
        /// The program.
        program: String,
        /// What happened, in one line without control characters.
        cause: String,
        /// The calls in the program that led there, many lines without control characters; empty when it is not
        /// known. The names in it are the program's.
        backtrace: String,
    },
    /// A folder that the program should have cannot be opened.
    #[error("cannot open the folder {}: {reason}", Escaped(folder))]
    Folder {
        /// The folder, as the host names it.
        folder: String,
        /// What the system said.
        reason: String,
    },
}

impl RunError {
    pub(crate) fn new(
        program: &str,
        error: &wasmtime::Error,
        memory_refused: Option<usize>,
    ) -> Self {
        let program = program.to_owned();
        if let Some(Trap::AsyncDeadlock) = error.downcast_ref::<Trap>() {
            return Self::Stuck { program };
        }
        Self::Trapped {
            program,
            cause: cause(error, memory_refused),
            backtrace: backtrace(error),
        }
    }

    /// The calls in the program that led to a trap, if they are known.
    pub fn backtrace(&self) -> Option<&str> {
        match self {
            Self::Trapped { backtrace, .. } if !backtrace.is_empty() => Some(backtrace),
            _ => None,
        }
    }
}

/// What happened, in one line, without wasmtime's account of the calls.
pub(crate) fn cause(error: &wasmtime::Error, memory_refused: Option<usize>) -> String {
    let trap = error.downcast_ref::<Trap>().map(Trap::to_string);
    let cause = trap.unwrap_or_else(|| match error.downcast_ref::<WasmBacktrace>() {
        Some(_) => text::one_line(&error.root_cause().to_string()),
        None => one_line(error),
    });
    match memory_refused {
        Some(limit) => {
            format!("{cause} (after memory beyond the limit of {limit} bytes was refused)")
        }
        None => cause,
    }
}

/// The calls, innermost first: where in its module each one is, and the names of module and function.
///
/// Made here and not by wasmtime, which prints names as they are: a newline in one would forge a line.
fn backtrace(error: &wasmtime::Error) -> String {
    let Some(calls) = error.downcast_ref::<WasmBacktrace>() else {
        return String::new();
    };
    let mut lines = String::from("error while executing at wasm backtrace:");
    for (index, call) in calls.frames().iter().enumerate() {
        let module = call.module().name().unwrap_or("<unknown>");
        let function = match call.func_name() {
            Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
            None => format!("<wasm function {}>", call.func_index()),
        };
        let place = call
            .module_offset()
            .map(|offset| format!("{offset:#8x} - "))
            .unwrap_or_default();
        lines += &format!(
            "\n  {index:>3}: {place}{}!{}",
            Escaped(module),
            Escaped(&function)
        );
    }
    lines
}
