//! Other programs: run with a deadline, never left behind, never silent for long.

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often a program that may be silent is said to be still at work.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Runs a program to its end. What it prints is shown.
///
/// # Errors
/// When it cannot be started, fails, or has not ended after `deadline`; then it is ended, with all that it started.
pub fn run(command: &mut Command, what: &str, deadline: Duration) -> Result<()> {
    let status = Running::start(command, what, deadline)?.finish()?;
    if status.success() {
        Ok(())
    } else {
        bail!("{what} failed ({status})")
    }
}

/// As [`run`], with each line of its standard output given to `each`, which shows it or does not.
pub fn run_reading(
    command: &mut Command,
    what: &str,
    deadline: Duration,
    mut each: impl FnMut(&str),
) -> Result<()> {
    let mut running = Running::start(command.stdout(Stdio::piped()), what, deadline)?;
    while let Some(line) = running.next_line()? {
        each(&line);
    }
    let status = running.finish()?;
    if status.success() {
        Ok(())
    } else {
        bail!("{what} failed ({status})")
    }
}

/// What a short command prints on its standard output, or nothing when it cannot be run or fails.
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

/// What a program says.
pub enum Next {
    /// A line.
    Line(String),
    /// Nothing yet.
    Silence,
    /// Nothing more: it has closed its standard output.
    End,
}

/// A program at work. Dropping it ends it, with all that it started.
pub struct Running {
    what: String,
    child: Child,
    lines: Option<Receiver<String>>,
    started: Instant,
    deadline: Duration,
    last_beat: Instant,
    ended: bool,
}

impl Running {
    /// Starts a program without standard input. It can be read from when `command` has its standard output piped.
    pub fn start(command: &mut Command, what: &str, deadline: Duration) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).spawn().with_context(|| {
            format!(
                "{what}: cannot start {}",
                command.get_program().to_string_lossy()
            )
        })?;
        let lines = child.stdout.take().map(|stdout| {
            let (sender, lines) = channel();
            thread::spawn(move || {
                for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                    if sender
                        .send(String::from_utf8_lossy(&line).into_owned())
                        .is_err()
                    {
                        break;
                    }
                }
            });
            lines
        });
        let now = Instant::now();
        Ok(Self {
            what: what.to_owned(),
            child,
            lines,
            started: now,
            deadline,
            last_beat: now,
            ended: false,
        })
    }

    /// Its number in the operating system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints, or nothing when it has closed its standard output.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        loop {
            match self.line_within(Duration::from_millis(200))? {
                Next::Line(line) => return Ok(Some(line)),
                Next::Silence => self.beat(),
                Next::End => return Ok(None),
            }
        }
    }

    /// The next line, if it comes within `patience`.
    pub fn line_within(&mut self, patience: Duration) -> Result<Next> {
        self.check_deadline()?;
        let Some(lines) = &self.lines else {
            return Ok(Next::End);
        };
        Ok(match lines.recv_timeout(patience) {
            Ok(line) => {
                self.last_beat = Instant::now();
                Next::Line(line)
            }
            Err(RecvTimeoutError::Timeout) => Next::Silence,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        })
    }

    /// The same program, with no other limit than that this value lives.
    pub fn without_deadline(mut self) -> Self {
        self.deadline = Duration::MAX;
        self
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Result<ExitStatus> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.ended = true;
                return Ok(status);
            }
            self.check_deadline()?;
            self.beat();
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    fn check_deadline(&self) -> Result<()> {
        if self.started.elapsed() < self.deadline {
            return Ok(());
        }
        bail!(
            "{} had not ended after {} s, and was ended",
            self.what,
            self.deadline.as_secs()
        )
    }

    fn beat(&mut self) {
        // On a terminal cargo and apt show their own progress, and a line between would break it.
        if self.last_beat.elapsed() >= HEARTBEAT && !std::io::stderr().is_terminal() {
            self.last_beat = Instant::now();
            eprintln!(
                "    … {}: {} s",
                self.what,
                self.started.elapsed().as_secs()
            );
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut below = Vec::new();
        descendants(self.child.id(), &mut below);
        if !below.is_empty() {
            // Ended one by one, since a group of its own would not get a terminal's Ctrl-C. The shell has a `kill` of
            // its own; a program of that name is not on every machine.
            let mut kill = Command::new("sh");
            kill.args(["-c", "kill -KILL \"$@\"", "sh"]).args(below);
            let _ = kill.stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processes that `pid` started, as far as the operating system tells (Linux does).
fn descendants(pid: u32, found: &mut Vec<String>) {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return;
    };
    for task in tasks.flatten() {
        let Ok(children) = std::fs::read_to_string(task.path().join("children")) else {
            continue;
        };
        for child in children.split_whitespace() {
            found.push(child.to_owned());
            if let Ok(child) = child.parse() {
                descendants(child, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_an_error() {
        let error = run(
            Command::new("sh").args(["-c", "exit 3"]),
            "the shell",
            Duration::from_secs(60),
        );
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
        run_reading(&mut command, "the shell", Duration::from_secs(60), |line| {
            lines.push(line.to_owned())
        })
        .unwrap();
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn past_the_deadline_everything_is_ended() {
        let mut command = Command::new("sh");
        // A grandchild; its number is the first line.
        command
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut running =
            Running::start(&mut command, "the shell", Duration::from_secs(1)).unwrap();
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
        // Dead and not yet collected counts as ended.
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
    }
}
