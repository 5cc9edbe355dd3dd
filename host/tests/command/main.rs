//! The program `streams`, run as a user does.

mod compiling;
mod help;
#[cfg(unix)]
mod input;
mod parts;
mod running;
mod signals;
#[cfg(unix)]
mod stdio;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use support::streams;

/// Longer than any test here takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn output<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    streams(args).output().expect("the program runs")
}

/// Checks that `streams` fails, and returns its exit code and its standard error output.
#[track_caller]
fn assert_fails<A: AsRef<std::ffi::OsStr>>(
    args: impl IntoIterator<Item = A>,
    code: i32,
    said: &str,
) {
    let output = output(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error, format!("{said}\n"));
}

/// A component from text, in its own file.
fn made(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let file = folder.path().join(name);
    std::fs::write(&file, wat::parse_str(text).expect("a component")).expect("written");
    file
}

/// A command with this code as its `run`.
fn command(folder: &tempfile::TempDir, body: &str) -> PathBuf {
    let text = format!(
        r#"(component
            (core module $m (func $inner (result i32) {body}) (func (export "run") (result i32) call $inner))
            (core instance $i (instantiate $m))
            (func $run async (result (result)) (canon lift (core func $i "run")))
            (instance $r (export "run" (func $run)))
            (export "wasi:cli/run@0.3.0" (instance $r)))"#
    );
    made(folder, "app.wasm", &text)
}
