//! A server in a separate process, and its clients.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::{built, streams};

/// Longer than any test here takes, even on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The handler that does harm at a client's request, composed and compiled once for all tests.
pub(crate) fn app() -> &'static Path {
    static APP: OnceLock<PathBuf> = OnceLock::new();
    APP.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve_harm.cwasm");
        let output = streams(["compile", "--cache", cache(), "--with"])
            .arg(built("streams"))
            .arg("--with")
            .arg(built("tests/serve_harm"))
            .arg(built("serve"))
            .arg("-o")
            .arg(&file)
            .output()
            .expect("the program runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        file
    })
}

/// A folder for compiled programs that all tests share.
pub(crate) fn cache() -> &'static str {
    concat!(env!("CARGO_TARGET_TMPDIR"), "/cache")
}

/// A component from text, in its own file.
pub(crate) fn made(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let file = folder.path().join(name);
    std::fs::write(&file, wat::parse_str(text).expect("a component")).expect("written");
    file
}

/// A command of WASI 0.3 with this code as its `run`.
pub(crate) fn command(folder: &tempfile::TempDir, body: &str) -> PathBuf {
    let text = format!(
        r#"(component
            (core module $m (func (export "run") (result i32) {body}))
            (core instance $i (instantiate $m))
            (func $run async (result (result)) (canon lift (core func $i "run")))
            (instance $r (export "run" (func $run)))
            (export "wasi:cli/run@0.3.0" (instance $r)))"#
    );
    made(folder, "app.wasm", &text)
}

/// `streams serve`, which ends with the test.
pub(crate) struct Served {
    process: Child,
    pub(crate) address: SocketAddr,
    /// The lines that it printed after the first.
    lines: Mutex<Receiver<String>>,
    log: Arc<Mutex<String>>,
    /// The thread that reads the log.
    logging: JoinHandle<()>,
}

impl Served {
    /// The app on a free port of 127.0.0.1, with these options.
    pub(crate) fn start<A: AsRef<OsStr>>(options: impl IntoIterator<Item = A>) -> Self {
        Self::start_app(app(), options, &[])
    }

    /// Serves a program, with its arguments.
    pub(crate) fn start_app<A: AsRef<OsStr>>(
        app: &Path,
        options: impl IntoIterator<Item = A>,
        args: &[&str],
    ) -> Self {
        let mut command = streams(["serve", "--listen", "127.0.0.1:0", "--cache", cache()]);
        command.args(options).arg(app);
        if !args.is_empty() {
            command.arg("--").args(args);
        }
        Self::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let log = Arc::new(Mutex::new(String::new()));
        let errors = BufReader::new(process.stderr.take().expect("piped"));
        let kept = Arc::clone(&log);
        let logging = std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut served = Self {
            process,
            address: ([127, 0, 0, 1], 0).into(),
            lines: Mutex::new(lines),
            log,
            logging,
        };
        let line = served.line();
        let address = line.strip_prefix("listening on ").expect("an address");
        // The address of a Unix socket does not parse.
        if let Ok(address) = address.parse() {
            served.address = address;
        }
        served
    }

    /// The next line that it prints.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .recv_timeout(DEADLINE)
            .unwrap_or_else(|_| panic!("it prints nothing: {}", self.log()))
    }

    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).expect("it listens"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Returns everything that it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until the log has a text.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_until(
            || self.log().contains(text),
            || format!("the log lacks {text:?}: {}", self.log()),
        );
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let mut status = None;
        wait_until(
            || {
                status = self.process.try_wait().expect("a process");
                status.is_some()
            },
            || "it does not end".to_owned(),
        );
        wait_until(
            || self.logging.is_finished(),
            || format!("its log does not end: {}", self.log()),
        );
        (status.expect("ended"), self.log())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until `done` returns true; `complaint` describes the failure.
#[track_caller]
pub(crate) fn wait_until(mut done: impl FnMut() -> bool, complaint: impl Fn() -> String) {
    let end = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < end, "{}", complaint());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A client of the app.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, text: &str) {
        // A server that has cut the connection accepts nothing; the next read shows it.
        let _ = self.0.get_mut().write_all(text.as_bytes());
    }

    pub(crate) fn read_line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        Ok(line)
    }

    /// Sends a line, and returns whether it comes back.
    pub(crate) fn is_served(&mut self) -> bool {
        self.send("hello\n");
        self.read_line().is_ok_and(|line| line == "hello\n")
    }

    /// Waits for the end of the connection, clean or not.
    pub(crate) fn wait_for_end(mut self) {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
    }
}
