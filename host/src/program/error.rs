use wasmtime::{Trap, WasmBacktrace};

use crate::engine::one_line;
use crate::text::{self, Escaped};

/// The reasons why a program did not run to its end.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Nothing more could happen, and the program had not returned: see
    /// [`fail_when_stuck`](crate::Command::fail_when_stuck).
    #[error(
        "{} is stuck: it waits for something that cannot happen any more",
        Escaped(program)
    )]
    Stuck {
        /// The program.
        program: String,
    },
    /// The program trapped, or a part of the host failed below it.
    #[error("{} trapped: {cause}", Escaped(program))]
    Trapped {
        /// The program.
        program: String,
        /// The cause, in one line without control characters.
        cause: String,
        /// The calls in the program that led to the trap: many lines without control characters; empty when they are
        /// unknown. The names in them are the program's.
        backtrace: String,
    },
    /// A folder of the program cannot be opened.
    #[error("cannot open the folder {}: {reason}", Escaped(folder))]
    Folder {
        /// The folder, as the host names it.
        folder: String,
        /// The error of the system.
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

/// The cause in one line, without wasmtime's list of calls.
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

/// The calls, innermost first: the offset of each in its module, and the names of module and function.
///
/// wasmtime's own text prints names as they are: a newline in one would forge a line.
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
