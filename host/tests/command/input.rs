//! Standard input of programs of WASI 0.2, and signals.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::streams;
use crate::{DEADLINE, made};

/// A program of WASI 0.2 that gets the stream of its input and prints a line. Its code does something before and after that.
fn program(before: &str, after: &str) -> String {
    P2.replace("BEFORE", before).replace("AFTER", after)
}

/// Waits for an hour, as a program in C does that waits for a peer.
const SLEEP: &str = "(call $block (call $sleep (i64.const 3600000000000)))";

/// Reads a byte, or the end.
const READ: &str = "(call $skip (local.get $input) (i64.const 1) (i32.const 32))";

const P2: &str = r#"(component
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $failure))
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $pollable (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "input-stream" (type $input (sub resource)))
        (export "output-stream" (type $output (sub resource)))
        (alias outer 1 $failure (type $failure))
        (type $reason (variant (case "last-operation-failed" (own $failure)) (case "closed")))
        (export "stream-error" (type $named (eq $reason)))
        (export "[method]input-stream.blocking-skip"
            (func (param "self" (borrow $input)) (param "len" u64) (result (result u64 (error $named)))))
        (export "[method]output-stream.blocking-write-and-flush"
            (func (param "self" (borrow $output)) (param "contents" (list u8)) (result (result (error $named)))))))
    (alias export $streams "input-stream" (type $input))
    (alias export $streams "output-stream" (type $output))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer 1 $input (type $input))
        (export "get-stdin" (func (result (own $input))))))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $output (type $output))
        (export "get-stdout" (func (result (own $output))))))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $pollable (type $pollable))
        (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))

    (core module $memory (memory (export "memory") 1) (data (i32.const 0) "ready\n"))
    (core instance $memory (instantiate $memory))
    (core func $stdin (canon lower (func $stdin "get-stdin")))
    (core func $stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
        (memory (core memory $memory "memory"))))
    (core func $skip (canon lower (func $streams "[method]input-stream.blocking-skip")
        (memory (core memory $memory "memory"))))
    (core func $sleep (canon lower (func $clock "subscribe-duration")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core module $program
        (import "" "stdin" (func $stdin (result i32)))
        (import "" "stdout" (func $stdout (result i32)))
        (import "" "write" (func $write (param i32 i32 i32 i32)))
        (import "" "skip" (func $skip (param i32 i64 i32)))
        (import "" "sleep" (func $sleep (param i64) (result i32)))
        (import "" "block" (func $block (param i32)))
        (func (export "run") (result i32)
            (local $input i32)
            (local.set $input (call $stdin))
            BEFORE
            (call $write (call $stdout) (i32.const 0) (i32.const 6) (i32.const 16))
            AFTER
            i32.const 0))
    (core instance $program (instantiate $program (with "" (instance
        (export "stdin" (func $stdin)) (export "stdout" (func $stdout)) (export "write" (func $write))
        (export "skip" (func $skip)) (export "sleep" (func $sleep)) (export "block" (func $block))))))
    (func $run (result (result)) (canon lift (core func $program "run")))
    (instance $exported (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exported)))"#;

/// Runs the program with one byte of input that stays open, sends a signal after its line, and returns the exit code and the
/// standard error output.
fn signalled(program: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = made(&folder, "app.wasm", program);
    let mut command = streams(["run"]);
    command.arg(program).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the program runs");
    let mut input = process.stdin.take().expect("piped");
    input.write_all(b"x").expect("a byte");
    let mut line = String::new();
    let output = process.stdout.take().expect("piped");
    let mut output = BufReader::new(output);
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n");
    let kill = Command::new("kill").arg(process.id().to_string()).status();
    assert!(kill.expect("kill runs").success());
    let end = Instant::now() + DEADLINE;
    while process.try_wait().expect("a process").is_none() {
        if Instant::now() > end {
            let _ = process.kill();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = process.wait_with_output().expect("it ends");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), error)
}

#[test]
fn a_program_that_does_not_read_its_input_ends_by_the_first_signal() {
    assert_eq!(signalled(&program("", SLEEP)), (Some(143), String::new()));
}

#[test]
fn the_first_signal_ends_the_input_of_a_program_that_reads_it() {
    let (code, error) = signalled(&program(READ, READ));
    assert_eq!(code, Some(0), "{error}");
    assert!(error.contains("asked to finish"), "{error}");
}
