//! A running program, and its outcome.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, ChildStdin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tempfile::TempPath;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;

use crate::output::Output;

/// A program that was started. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    pub(crate) name: String,
    pub(crate) deadline: Instant,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) exit: Receiver<Exit>,
    pub(crate) stdin: Option<Stdin>,
    pub(crate) process: Process,
}

/// The way in which a program runs.
#[derive(Debug)]
pub(crate) enum Process {
    /// A thread of this process, which stops when this is dropped.
    Here {
        /// The bytes of all its linear memories.
        memory: Arc<AtomicUsize>,
        _stop: oneshot::Sender<()>,
    },
    /// A process, and the file that it runs.
    Child {
        id: u32,
        child: Arc<Mutex<Child>>,
        _file: TempPath,
    },
}

/// The writing end of a program's standard input.
#[derive(Debug)]
pub(crate) enum Stdin {
    Here(DuplexStream),
    Child(ChildStdin),
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `run` returned ok; the exit status was 0.
    Success,
    /// `run` returned an error; the exit status was 1.
    Failure,
    /// It trapped, or could not be started: the runtime's reason.
    Trap(String),
}

/// The result of a program.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Running {
    /// Waits for the next line on standard output, and returns it without its end.
    ///
    /// # Panics
    /// When the program ends, or its deadline passes, before there is one.
    pub fn line(&mut self) -> String {
        let line = self.stdout.next_line(self.deadline);
        line.unwrap_or_else(|| panic!("{self} wrote no further line"))
    }

    /// Waits for the line by which `serve.wasm` and the examples report their address, and returns the address.
    ///
    /// # Panics
    /// When the next line is another, or there is none.
    pub fn listens(&mut self) -> SocketAddr {
        let line = self.line();
        let address = line
            .strip_prefix("listening on ")
            .and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("not an address on which it listens: {line}"))
    }

    /// The same for standard error.
    ///
    /// # Panics
    /// When the program ends, or its deadline passes, before there is one.
    pub fn stderr_line(&mut self) -> String {
        let line = self.stderr.next_line(self.deadline);
        line.unwrap_or_else(|| panic!("{self} wrote no further line to standard error"))
    }

    /// Everything on standard output so far.
    pub fn stdout(&self) -> &Output {
        &self.stdout
    }

    /// Everything on standard error so far.
    pub fn stderr(&self) -> &Output {
        &self.stderr
    }

    /// The process, if it runs in a separate one.
    pub fn process_id(&self) -> Option<u32> {
        match &self.process {
            Process::Here { .. } => None,
            Process::Child { id, .. } => Some(*id),
        }
    }

    /// The bytes of the linear memories of all its components together, if it runs in this process.
    pub fn linear_memory(&self) -> Option<usize> {
        match &self.process {
            Process::Here { memory, .. } => Some(memory.load(Ordering::Relaxed)),
            Process::Child { .. } => None,
        }
    }

    /// Writes to its standard input.
    ///
    /// # Panics
    /// When it has none, or does not read it.
    pub fn write_stdin(&mut self, bytes: &[u8]) {
        let written = match self.stdin.as_mut().expect("a standard input that is open") {
            Stdin::Child(pipe) => pipe.write_all(bytes).and_then(|()| pipe.flush()),
            Stdin::Here(pipe) => {
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                runtime.and_then(|runtime| {
                    runtime.block_on(tokio::io::AsyncWriteExt::write_all(pipe, bytes))
                })
            }
        };
        written.unwrap_or_else(|error| panic!("{self} does not read its standard input: {error}"));
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Returns whether it is still running.
    ///
    /// # Panics
    /// When it has failed: the caller wants to talk to it.
    pub fn is_running(&self) -> bool {
        match self.exit.try_recv() {
            Ok(exit) => {
                assert_eq!(exit, Exit::Success, "{self} has failed");
                false
            }
            Err(_) => true,
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When the deadline passes before.
    pub fn wait(mut self) -> Outcome {
        self.stdin = None;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let exit = match self.exit.recv_timeout(left) {
            Ok(exit) => exit,
            Err(RecvTimeoutError::Timeout) => panic!("{self} did not end before its deadline"),
            Err(RecvTimeoutError::Disconnected) => panic!("{self} was lost"),
        };
        Outcome {
            name: self.name.clone(),
            exit,
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        }
    }

    /// Stops it at once.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Process::Child { child, .. } = &self.process
            && let Ok(mut child) = child.lock()
        {
            // It may have ended already.
            let _ = child.kill();
        }
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_all(f, &self.name, &self.stdout.text(), &self.stderr.text())
    }
}

impl Outcome {
    /// Returns the outcome if the program succeeded.
    ///
    /// # Panics
    /// With all its output, if it did not.
    #[track_caller]
    pub fn assert_success(self) -> Self {
        assert!(self.exit == Exit::Success, "{self}");
        self
    }

    /// Returns the outcome if the program failed without a trap.
    ///
    /// # Panics
    /// With all its output, if it did not.
    #[track_caller]
    pub fn assert_failure(self) -> Self {
        assert!(self.exit == Exit::Failure, "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_all(f, &self.name, &self.stdout, &self.stderr)?;
        write!(f, "\n--- ended with {:?}", self.exit)
    }
}

fn write_all(f: &mut fmt::Formatter<'_>, name: &str, stdout: &str, stderr: &str) -> fmt::Result {
    write!(
        f,
        "the program {name}\n--- standard output\n{stdout}\n--- standard error\n{stderr}"
    )
}
