//! Mistakes in making and running components of Python programs: each is reported in words, and nothing traps.

use std::fs;
use std::process::{Command, Output, Stdio};

use asyncio_streams_host::compose::{ComposeError, Part, compose};
use asyncio_streams_tests::python::{Side, compiled, package, part, sides, tool};
use tempfile::TempDir;

/// Runs it to its end. Errors are on standard error.
fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .expect("a program that starts")
}

/// Returns the error of a program that failed without a trap: the status of a program that ends by itself is 1.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        !said.contains("wasm trap") && !said.contains("panicked"),
        "{said}"
    );
    said
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
}

fn component() -> Option<Side> {
    sides().map(|[_, component]| component)
}

#[test]
fn a_program_that_is_not_composed_names_the_interface() {
    let Some(Side::Component(wasmtime)) = component() else {
        return;
    };
    let part = part("echo-client");
    match compose([Part::read(&part).expect("the component")]) {
        Err(ComposeError::Missing { missing }) => {
            let interfaces: Vec<_> = missing.iter().flat_map(|of| &of.interfaces).collect();
            assert!(
                interfaces
                    .iter()
                    .any(|name| name.starts_with("asyncio:streams/streams@")),
                "{interfaces:?}"
            );
        }
        other => panic!("composed of one part: {:?}", other.map(|_| ())),
    }
    let output = run(Command::new(wasmtime)
        .args(["run", "-S", "inherit-network"])
        .arg(&part));
    assert_says(&complaint(&output), &["asyncio:streams/", "not found"]);
}

#[test]
fn a_missing_module_is_named_with_the_remedy() {
    let Some(component) = component() else { return };
    let mut command = component.command("modules");
    let said = complaint(&run(command.arg("missing")));
    assert_says(
        &said,
        &[
            "modules.py\", line",
            "importlib.import_module(\"no_such_module\")",
            "ModuleNotFoundError: No module named 'no_such_module'",
            "built",
            "-p",
        ],
    );
    assert!(!said.contains("asyncio_streams/"), "{said}");
}

#[test]
fn without_the_network_a_connect_is_a_permission_error() {
    let Some(Side::Component(wasmtime)) = component() else {
        return;
    };
    let mut command = Command::new(wasmtime);
    command
        .args(["run", "--allow-precompiled"])
        .arg(compiled("echo-client"));
    let said = complaint(&run(command.args(["127.0.0.1", "9"])));
    assert_says(&said, &["PermissionError"]);
}

#[test]
fn tls_in_a_program_built_without_it_names_the_remedy() {
    let Some(Side::Component(wasmtime)) = component() else {
        return;
    };
    let mut command = Command::new(wasmtime);
    command.args(["run", "--allow-precompiled", "-S", "inherit-network"]);
    command.arg(compiled("http-headers"));
    let said = complaint(&run(command.arg("https://127.0.0.1:9/")));
    assert_says(&said, &["--with-tls"]);
}

#[test]
fn installing_outside_a_component_is_an_error() {
    let Some([Side::Stock(python), _]) = sides() else {
        return;
    };
    let mut command = Command::new(python);
    command.args(["-c", "import asyncio_streams; asyncio_streams.install()"]);
    let said = complaint(&run(command.env("PYTHONPATH", package())));
    assert_says(&said, &["NotInComponentError", "component"]);
}

/// Runs the build command on a program, in a separate folder, and returns its error.
fn build(program: &str, more: &[&str]) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let said = complaint(&build_in(&folder, program, more));
    assert!(!folder.path().join("out.wasm").exists());
    said
}

fn build_in(folder: &TempDir, program: &str, more: &[&str]) -> Output {
    let file = folder.path().join("program.py");
    fs::write(&file, program).expect("a program");
    let mut command = Command::new(tool());
    command
        .args(["-m", "asyncio_streams.build"])
        .arg(&file)
        .args(more);
    command.arg("-o").arg(folder.path().join("out.wasm"));
    command
        .env("PYTHONPATH", package())
        .current_dir(folder.path());
    run(&mut command)
}

#[test]
fn an_invalid_program_is_not_built() {
    if component().is_none() {
        return;
    }
    assert_says(&build("def (:\n", &[]), &["program.py", "1"]);
}

#[test]
fn missing_streams_are_named() {
    if component().is_none() {
        return;
    }
    assert_says(
        &build("print(1)\n", &["--streams", "nowhere.wasm"]),
        &["nowhere.wasm"],
    );
}

#[test]
fn an_impossible_import_is_reported_during_the_build() {
    if component().is_none() {
        return;
    }
    assert_says(&build("import no_such_module\n", &[]), &["no_such_module"]);
}

#[test]
fn tls_in_a_module_of_a_program_built_without_it_names_the_remedy() {
    if component().is_none() {
        return;
    }
    // As in packages: a plain `import ssl` in a module that the program imports.
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("protected.py"), "import ssl\n").expect("a module");
    let said = complaint(&build_in(&folder, "import protected\n", &[]));
    assert_says(
        &said,
        &[
            "cannot import 'protected'",
            "_ssl",
            "--with-tls",
            "protected.py\", line 1",
        ],
    );
}

#[test]
fn a_module_that_raises_during_the_build_is_imported_at_run_time() {
    if component().is_none() {
        return;
    }
    let folder = TempDir::new().expect("a temporary folder");
    let module = "import getpass\n\nNAME = getpass.getuser()\n";
    fs::write(folder.path().join("asks.py"), module).expect("a module");
    let output = build_in(&folder, "import asks\n\nprint(asks.NAME)\n", &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_says(
        &said,
        &[
            "importing 'asks' failed",
            "asks.py\", line 3",
            "NAME = getpass.getuser()",
        ],
    );
}
