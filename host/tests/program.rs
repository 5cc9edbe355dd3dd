//! Programs that the library runs: their ends, and the errors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use asyncio_streams_host::compose::{Part, compose};
use asyncio_streams_host::{Engine, Limits, LoadError, Network, Program, RunError, Stdin, Stdout};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Longer than any test here takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A command of WASI 0.3 with this code as its `run`.
fn command(body: &str) -> Vec<u8> {
    component("async", "0.3.0", body)
}

fn component(asyncness: &str, version: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m
                (memory 1)
                (func $inner (result i32) {body})
                (func (export "run") (result i32) call $inner))
            (core instance $i (instantiate $m))
            (func $run {asyncness} (result (result)) (canon lift (core func $i "run")))
            (instance $r (export "run" (func $run)))
            (export "wasi:cli/run@{version}" (instance $r)))"#
    );
    wat::parse_str(text).expect("a component")
}

fn program(bytes: &[u8]) -> Program {
    let engine = Engine::new().expect("an engine");
    Program::from_bytes(&engine, "test.wasm", bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(bytes: &[u8]) -> LoadError {
    let engine = Engine::new().expect("an engine");
    match Program::from_bytes(&engine, "test.wasm", bytes) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    }
}

#[test]
fn a_file_compiled_with_other_settings_names_the_remedy() {
    let other = Engine::interruptible(Default::default());
    let bytes = other.and_then(|engine| engine.compile("app", &command("i32.const 0")));
    let bytes = bytes.expect("it compiles");
    let engine = Engine::new().expect("an engine");
    // SAFETY: this process has just compiled the bytes.
    let error = match unsafe { Program::from_compiled(&engine, "app.cwasm", &bytes) } {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    };
    assert!(matches!(error, LoadError::Precompiled { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.starts_with("app.cwasm was compiled for another program: "),
        "{said}"
    );
    assert!(
        said.ends_with("; `streams compile` writes files for this one"),
        "{said}"
    );
}

#[tokio::test]
async fn the_status_is_what_the_program_returns() {
    for (body, code) in [("i32.const 0", 0), ("i32.const 1", 1)] {
        for bytes in [command(body), component("", "0.2.0", body)] {
            let program = program(&bytes);
            let status = program.command().run().await.expect("it ends");
            assert_eq!((status.code(), status.success()), (code, code == 0));
            let output = program.command().output().await.expect("it ends again");
            assert_eq!(
                (output.status.code(), output.stdout, output.stderr),
                (code, vec![], vec![])
            );
        }
    }
}

#[tokio::test]
async fn the_status_is_what_the_program_exits_with() {
    let bytes = wat::parse_str(
        r#"(component
            (import "wasi:cli/exit@0.3.0" (instance $exit
                (export "exit-with-code" (func (param "status-code" u8)))))
            (core func $exit (canon lower (func $exit "exit-with-code")))
            (core module $m
                (import "" "exit" (func $exit (param i32)))
                (func (export "run") (result i32) i32.const 42 call $exit unreachable))
            (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit))))))
            (func $run async (result (result)) (canon lift (core func $i "run")))
            (instance $r (export "run" (func $run)))
            (export "wasi:cli/run@0.3.0" (instance $r)))"#,
    );
    let program = program(&bytes.expect("a component"));
    assert_eq!(program.command().run().await.expect("it ends").code(), 42);
}

#[tokio::test]
async fn a_trap_is_one_line_and_its_calls_are_separate() {
    let error = program(&command("unreachable"))
        .command()
        .run()
        .await
        .expect_err("a trap");
    assert_eq!(
        error.to_string(),
        "test.wasm trapped: wasm trap: wasm `unreachable` instruction executed"
    );
    let backtrace = error.backtrace().expect("the calls");
    assert!(backtrace.contains("inner"), "{backtrace}");
}

#[tokio::test]
async fn a_stuck_program_fails_if_that_is_requested() {
    let bytes = wat::parse_str(
        r#"(component
            (core func $set (canon waitable-set.new))
            (core module $m
                (import "" "set" (func $set (result i32)))
                ;; Waits for something of an empty set.
                (func (export "run") (result i32)
                    (i32.or (i32.const 2) (i32.shl (call $set) (i32.const 4))))
                (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
            (core instance $i (instantiate $m (with "" (instance (export "set" (func $set))))))
            (func $run async (result (result))
                (canon lift (core func $i "run") async (callback (core func $i "callback"))))
            (instance $r (export "run" (func $run)))
            (export "wasi:cli/run@0.3.0" (instance $r)))"#,
    );
    let program = program(&bytes.expect("a component"));
    let error = program
        .command()
        .fail_when_stuck(true)
        .run()
        .await
        .expect_err("nothing can happen");
    assert!(matches!(error, RunError::Stuck { .. }), "{error}");
    let patience = std::time::Duration::from_millis(100);
    tokio::time::timeout(patience, program.command().run())
        .await
        .expect_err("it waits for ever");
}

#[tokio::test]
async fn refused_memory_is_named_as_the_cause() {
    let grow =
        "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)) i32.const 0";
    let program = program(&command(grow));
    let limits = Limits::new().max_memory(100 << 16);
    let error = program
        .command()
        .limits(limits)
        .run()
        .await
        .expect_err("101 pages are too many");
    assert!(
        error
            .to_string()
            .ends_with("(after memory beyond the limit of 6553600 bytes was refused)"),
        "{error}"
    );
    let limits = Limits::new().max_memory(101 << 16);
    assert!(
        program
            .command()
            .limits(limits)
            .run()
            .await
            .expect("it ends")
            .success()
    );
}

#[test]
fn a_file_that_is_not_a_program_is_described() {
    let error = refused(b"");
    assert_eq!(
        error.to_string(),
        "test.wasm is not a component: the file is empty"
    );
    let error = refused(&wat::parse_str("(component)").expect("a component"));
    assert_eq!(
        error.to_string(),
        "test.wasm does not export wasi:cli/run: it exports nothing"
    );
    let library =
        r#"(component (instance $i) (export "asyncio:streams/handler@0.1.0" (instance $i)))"#;
    let error = refused(&wat::parse_str(library).expect("a component"));
    let expected =
        "test.wasm does not export wasi:cli/run: it exports asyncio:streams/handler@0.1.0";
    assert_eq!(error.to_string(), expected);
    let open = r#"(component (import "asyncio:streams/streams@0.1.0" (instance)))"#;
    let error = refused(&wat::parse_str(open).expect("a component"));
    let expected = "test.wasm is not complete: it imports asyncio:streams/streams@0.1.0; compose it with the streams \
                    component (streams.wasm)";
    assert_eq!(error.to_string(), expected);
    let unknown =
        r#"(component (import "wasi:nothing/at-all@0.3.0" (instance (export "f" (func)))))"#;
    let error = refused(&wat::parse_str(unknown).expect("a component"));
    assert!(
        error
            .to_string()
            .starts_with("test.wasm cannot be linked: "),
        "{error}"
    );
    assert!(
        error.to_string().contains("wasi:nothing/at-all@0.3.0"),
        "{error}"
    );
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let engine = Engine::new().expect("an engine");
    let error = Program::from_file(&engine, "no/such.wasm")
        .map(drop)
        .expect_err("no such file");
    assert!(
        error.to_string().starts_with("cannot read no/such.wasm: "),
        "{error}"
    );
}

/// The echo server of the examples, composed.
fn server() -> Program {
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = match std::env::var_os("COMPONENTS") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(target, PathBuf::from)
            .join("components"),
    };
    let parts = ["examples/echo-server", "serve", "streams"].map(|part| {
        let part = Part::read(folder.join(format!("{part}.wasm")));
        part.unwrap_or_else(|error| {
            panic!("{error}. The components are built by `cargo xtask build`")
        })
    });
    program(compose(parts).expect("a server").bytes())
}

#[tokio::test]
async fn output_is_captured() {
    let output = server()
        .command()
        .args(["--help"])
        .output()
        .await
        .expect("it ends");
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"Usage: serve"), "{output:?}");
    assert_eq!(output.stderr, b"");
    let output = server()
        .command()
        .args(["--nonsense"])
        .stdout(Stdout::discard())
        .output()
        .await
        .expect("it ends");
    assert_eq!(output.status.code(), 1);
    assert!(output.stderr.starts_with(b"serve: "), "{output:?}");
}

#[tokio::test]
async fn a_running_program_exchanges_input_and_output() {
    tokio::time::timeout(DEADLINE, async {
        let (input, stdin) = tokio::io::duplex(100);
        let (stdout, output) = tokio::io::duplex(100);
        let network = Network::none().allow_listen("127.0.0.1:0".parse().expect("an endpoint"));
        let command = server()
            .command()
            .args(["--until-stdin-closes", "127.0.0.1:0"])
            .network(network);
        let command = command
            .stdin(Stdin::reader(stdin))
            .stdout(Stdout::writer(stdout));
        let running = tokio::spawn(command.run());
        let mut lines = BufReader::new(output).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let address = line.rsplit(' ').next().expect("a word");
        let mut socket = TcpStream::connect(address).await.expect("connected");
        socket.write_all(b"hello\n").await.expect("sent");
        let mut answer = [0; 6];
        socket.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"hello\n");
        drop((socket, input));
        assert!(running.await.expect("no panic").expect("it ends").success());
    })
    .await
    .expect("the test hangs");
}

#[tokio::test]
async fn a_run_that_is_dropped_ends() {
    tokio::time::timeout(DEADLINE, async {
        let (stdout, output) = tokio::io::duplex(100);
        let network = Network::none().allow_listen("127.0.0.1:0".parse().expect("an endpoint"));
        let command = server()
            .command()
            .args(["127.0.0.1:0"])
            .network(network)
            .stdout(Stdout::writer(stdout));
        let running = tokio::spawn(command.run());
        let mut lines = BufReader::new(output).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let address = line.rsplit(' ').next().expect("a word");
        let mut socket = TcpStream::connect(address).await.expect("connected");
        running.abort();
        // Its sockets are closed with it.
        assert!(!matches!(socket.read(&mut [0; 10]).await, Ok(1..)));
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the test hangs");
}
