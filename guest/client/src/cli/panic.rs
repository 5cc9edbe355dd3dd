//! The last message of a program that panics. The runtime reports only a trap.

use std::mem;
use std::panic::{self, PanicHookInfo};
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Waker};

use asyncio_streams_text::escaped;

use crate::bindings::imports::wasi::cli::stderr;
use crate::byte_stream;

/// Sees to it that a panic prints its message to standard error before it ends everything; without
/// it, all that the runtime can say is `unreachable`.
///
/// [`run!`](crate::run) does it by itself. [`serve!`](crate::serve) does not, since a handler may
/// have no standard error: there, call it where a handler begins. A second call does nothing.
pub fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| panic::set_hook(Box::new(print)));
}

/// A panic's message, which may hold what a peer sent: escaped line by line, and those after the first indented, so that
/// none passes for a line of a log.
fn text(panic: &str) -> String {
    let mut lines = panic.lines();
    let mut text = escaped(lines.next().unwrap_or_default()).to_string();
    for line in lines {
        text.push_str("\n    ");
        text.push_str(&escaped(line).to_string());
    }
    text.push('\n');
    text
}

/// Nothing can be waited for any more: what the system does not take at once is lost.
fn print(panic: &PanicHookInfo<'_>) {
    let (mut stream, reader) = byte_stream();
    let result = stderr::write_via_stream(reader);
    {
        let mut write = pin!(stream.write(text(&panic.to_string()).into_bytes()));
        let _ = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    // Their ends belong to the trap.
    mem::forget((stream, result));
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn lines_of_a_message_are_escaped_and_indented() {
        assert_eq!(
            text("panicked at src/lib.rs:1:2:\nno such word: \u{1b}[2J\nserve: client gone\r\n"),
            "panicked at src/lib.rs:1:2:\n    no such word: \\u{1b}[2J\n    serve: client gone\n"
        );
    }
}
