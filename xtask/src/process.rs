//! Runs other programs. Each has a deadline, ends with this program, and a long silence is reported as progress.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// The time after which a silent program is reported to be still running.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Far more than a build of everything from nothing takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60 * 60);

/// Runs a program to its end and shows its output.
///
/// # Errors
/// When it cannot be started, fails, or exceeds [`DEADLINE`]; then it is killed together with its children.
pub fn run(command: &mut Command, what: &str) -> Result<()> {
    run_within(command, what, DEADLINE)
}

/// As [`run`], with another deadline.
///
/// # Errors
/// As [`run`].
pub fn run_within(command: &mut Command, what: &str, deadline: Duration) -> Result<()> {
    Running::start(command, what)?.within(deadline).succeed()
}

/// As [`run`], but passes each line of standard output to `each` instead of showing it.
///
/// # Errors
/// As [`run`].
pub fn run_reading(command: &mut Command, what: &str, mut each: impl FnMut(&str)) -> Result<()> {
    let mut running = Running::start(command.stdout(Stdio::piped()), what)?;
    while let Some(line) = running.next_line()? {
        each(&line);
    }
    running.succeed()
}

/// Returns the standard output of a short command, or nothing when it cannot be run or fails.
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A running program. Dropping the value kills the program and its children.
pub struct Running {
    what: String,
    child: Child,
    lines: Receiver<String>,
    started: Instant,
    deadline: Duration,
    last_beat: Instant,
    /// The file of its output, for a program that runs beside other steps.
    log: Option<PathBuf>,
}

impl Running {
    /// Starts a program without standard input. Its lines can be read if `command` pipes standard output.
    pub fn start(command: &mut Command, what: &str) -> Result<Self> {
        let spawned = command.stdin(Stdio::null()).spawn();
        let program = command.get_program().to_string_lossy();
        let mut child = spawned.with_context(|| format!("{what}: cannot start {program}"))?;
        // Without a pipe the sender is dropped, and there are no lines.
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
                let mut lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
                lines.try_for_each(|line| sender.send(line))
            });
        }
        let now = Instant::now();
        Ok(Self {
            what: what.to_owned(),
            child,
            lines,
            started: now,
            deadline: DEADLINE,
            last_beat: now,
            log: None,
        })
    }

    /// Starts a program that prints into `log`; [`Running::succeed`] shows that.
    ///
    /// # Errors
    /// When the file cannot be written, or the program cannot be started.
    pub fn start_into(log: PathBuf, command: &mut Command, what: &str) -> Result<Self> {
        let folder = log.parent().map_or(Ok(()), fs::create_dir_all);
        let file = folder.and_then(|()| File::create(&log));
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        let mut running = Self::start(command.stdout(file.try_clone()?).stderr(file), what)?;
        running.log = Some(log);
        Ok(running)
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the next line of its standard output, or nothing at the end.
    ///
    /// # Errors
    /// When it exceeds its deadline.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        loop {
            match self.receive(Duration::from_millis(200))? {
                Err(RecvTimeoutError::Timeout) => self.beat(),
                line => return Ok(line.ok()),
            }
        }
    }

    /// Returns the next line, if it arrives within `patience`.
    ///
    /// # Errors
    /// When it exceeds its deadline.
    pub fn line_within(&mut self, patience: Duration) -> Result<Option<String>> {
        Ok(self.receive(patience)?.ok())
    }

    fn receive(&mut self, patience: Duration) -> Result<Result<String, RecvTimeoutError>> {
        self.check_deadline()?;
        let line = self.lines.recv_timeout(patience);
        if line.is_ok() {
            self.last_beat = Instant::now();
        }
        Ok(line)
    }

    /// Sets another deadline than [`DEADLINE`], counted from the start.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Result<ExitStatus> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            self.check_deadline()?;
            self.beat();
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it fails, or exceeds its deadline.
    pub fn succeed(mut self) -> Result<()> {
        let (what, log) = (self.what.clone(), self.log.take());
        let status = self.finish();
        if let Some(log) = log {
            eprint!("{}", fs::read_to_string(log).unwrap_or_default());
        }
        let status = status?;
        ensure!(status.success(), "{what} failed ({status})");
        Ok(())
    }

    fn check_deadline(&self) -> Result<()> {
        let (what, seconds) = (&self.what, self.deadline.as_secs());
        ensure!(
            self.started.elapsed() < self.deadline,
            "{what} had not ended after {seconds} s, and was ended"
        );
        Ok(())
    }

    fn beat(&mut self) {
        // On a terminal cargo and apt show their own progress, which an extra line would break.
        if self.last_beat.elapsed() >= HEARTBEAT && !std::io::stderr().is_terminal() {
            self.last_beat = Instant::now();
            let seconds = self.started.elapsed().as_secs();
            eprintln!("    … {}: {seconds} s", self.what);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let mut below = Vec::new();
        descendants(&self.child.id().to_string(), &mut below);
        // First, since a shell would print that its child was killed.
        let _ = self.child.kill();
        if !below.is_empty() {
            // Ctrl-C in the terminal would not reach a process group, so each process is killed by its id. Every
            // shell has a built-in `kill`; the program of that name may be missing.
            let mut kill = Command::new("sh");
            kill.args(["-c", "kill -KILL \"$@\"", "sh"]).args(below);
            let _ = kill.stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

/// The children of `pid` and their children, where the system has `/proc`.
fn descendants(pid: &str, found: &mut Vec<String>) {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            found.push(child.to_owned());
            descendants(child, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_an_error() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]), "the shell");
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("the shell failed (exit status: 3)")
        );
    }

    #[test]
    fn lines_are_read_to_the_last() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "printf 'one\\ntwo'"]);
        run_reading(&mut command, "the shell", |line| {
            lines.push(line.to_owned())
        })
        .unwrap();
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn a_program_beside_others_prints_into_its_file() {
        let log = std::env::temp_dir().join(format!("xtask log {}", std::process::id()));
        let start = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Running::start_into(log.clone(), &mut command, "the shell").unwrap()
        };
        start("echo one; echo two >&2").succeed().unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "one\ntwo\n");
        let error = start("echo three; exit 3").succeed().unwrap_err();
        assert!(error.to_string().contains("the shell failed"), "{error}");
        assert_eq!(fs::read_to_string(&log).unwrap(), "three\n");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_program_past_its_deadline_is_killed_with_its_children() {
        let mut command = Command::new("sh");
        // The first line is the process id of a grandchild.
        command
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped());
        let running = Running::start(&mut command, "the shell").unwrap();
        let mut running = running.within(Duration::from_secs(1));
        let grandchild = running.next_line().unwrap().unwrap();
        let error = running.finish().unwrap_err().to_string();
        assert!(error.contains("had not ended after 1 s"), "{error}");
        if cfg!(target_os = "linux") {
            // The kernel takes a moment to end it.
            let started = Instant::now();
            while is_alive(&grandchild) {
                assert!(started.elapsed() < Duration::from_secs(60));
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn is_alive(pid: &str) -> bool {
        // A zombie has ended.
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
    }
}
