//! Running: exit status, traps, escaped text and folders.

use crate::{assert_fails, command, made, output};

#[test]
fn an_exit_status_is_passed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(
        output(["run".as_ref(), command(&folder, "i32.const 0").as_os_str()])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        output(["run".as_ref(), command(&folder, "i32.const 1").as_os_str()])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn a_trap_is_one_line_and_verbose_adds_the_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = command(&folder, "unreachable");
    let line = format!(
        "streams: {} trapped: wasm trap: wasm `unreachable` instruction executed",
        app.display()
    );
    assert_fails(["run".as_ref(), app.as_os_str()], 1, &line);
    let verbose = output(["run".as_ref(), "-v".as_ref(), app.as_os_str()]);
    let error = String::from_utf8_lossy(&verbose.stderr);
    assert!(error.starts_with(&line), "{error}");
    assert!(error.contains("inner"), "{error}");
}

#[test]
fn text_of_components_and_file_names_is_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"(component
        (core module $m
            (func $"\1b[2J\nstreams: forged" (result i32) unreachable)
            (func (export "run") (result i32) call $"\1b[2J\nstreams: forged"))
        (core instance $i (instantiate $m))
        (func $run async (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run)))
        (export "wasi:cli/run@0.3.0" (instance $r)))"#;
    let app = made(&folder, "app\n\u{1b}[2J.wasm", text);
    for (option, escaped) in [
        (None, "wasm` unreachable"),
        (Some("-v"), r"\u{1b}[2J\nstreams: forged"),
    ] {
        let args = ["run"].into_iter().chain(option).map(std::ffi::OsStr::new);
        let output = output(args.chain([app.as_os_str()]));
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error:?}");
        assert!(error.contains(r"app\n\u{1b}[2J.wasm trapped"), "{error:?}");
        assert!(option.is_none() || error.contains(escaped), "{error:?}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
        assert!(
            !error
                .lines()
                .any(|line| line.starts_with("streams: forged")),
            "{error:?}"
        );
    }
    for file in ["no\n\u{1b}such.wasm", "app\n\u{1b}[2J.wasm"] {
        let output = output(["compose", "-o", "never.wasm", file]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error:?}");
        assert!(
            error.lines().count() == 1 && !error.contains('\u{1b}'),
            "{error:?}"
        );
    }
}

/// A command that fails unless it has exactly one folder, whose name has three bytes.
const FOLDERS: &str = r#"(component
    (import "wasi:filesystem/types@0.3.0" (instance $types (export "descriptor" (type (sub resource)))))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.3.0" (instance $preopens
        (export "descriptor" (type $d (eq $descriptor)))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))
    (core module $memory
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            global.get $next
            (global.set $next (i32.and (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 7))) (i32.const -8)))))
    (core instance $m (instantiate $memory))
    (core func $get (canon lower (func $preopens "get-directories")
        (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
    (core module $main
        (import "" "memory" (memory 1))
        (import "" "get" (func $get (param i32)))
        (func (export "run") (result i32)
            (call $get (i32.const 8))
            (if (i32.ne (i32.load (i32.const 12)) (i32.const 1)) (then (return (i32.const 1))))
            (i32.ne (i32.load offset=8 (i32.load (i32.const 8))) (i32.const 3))))
    (core instance $i (instantiate $main (with "" (instance
        (export "memory" (memory $m "memory")) (export "get" (func $get))))))
    (func $run async (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.3.0" (instance $r)))"#;

#[test]
fn a_program_has_only_the_granted_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = made(&folder, "folders.wasm", FOLDERS);
    let app = app.as_os_str();
    let granted = format!("{}::dir", folder.path().display());
    let code = |args: &[&std::ffi::OsStr]| output(args).status.code();
    assert_eq!(code(&["run".as_ref(), app]), Some(1), "none by default");
    for option in ["--dir", "--read-dir"] {
        assert_eq!(
            code(&["run".as_ref(), option.as_ref(), granted.as_ref(), app]),
            Some(0),
            "{option}"
        );
    }
    let missing = output([
        "run".as_ref(),
        "--dir".as_ref(),
        "no/such::dir".as_ref(),
        app,
    ]);
    let error = String::from_utf8_lossy(&missing.stderr);
    assert_eq!(missing.status.code(), Some(1), "{error}");
    assert!(
        error.starts_with("streams: cannot open the folder no/such: "),
        "{error}"
    );
}
