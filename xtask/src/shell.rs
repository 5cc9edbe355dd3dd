//! Runs the command lines of the documentation and of the demo, as a user does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::checkout;
use crate::process::Running;

/// The address in documented commands, which need a fixed port.
pub(crate) const ADDRESS: &str = "127.0.0.1:8888";

/// The address as two words.
const TWO_WORDS: &str = "127.0.0.1 8888";

/// The text before the address that serve.wasm prints when it listens.
const LISTENING: &str = "listening on ";

/// Far more than any line takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// A server prints its lines about a client at the latest this long after the client's end.
const PATIENCE: Duration = Duration::from_millis(100);

/// Lines that belong together. A server that one of them starts runs until the session is dropped.
pub(crate) struct Session {
    path: OsString,
    deadline: Duration,
    /// Servers; dropping them ends them.
    servers: Vec<Running>,
    /// The last line that a server has printed.
    last_said: String,
    /// The address of the last server.
    address: Option<String>,
}

impl Session {
    /// A session that finds programs in these folders before PATH.
    pub(crate) fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            path: checkout::path_with(folders),
            deadline: DEADLINE,
            servers: Vec::new(),
            last_said: String::new(),
            address: None,
        }
    }

    /// Sets the time that each line may take.
    pub(crate) fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Runs a line in the checkout's folder until it ends or reports that it listens. Returns its output, and shows that of the
    /// session's servers too.
    ///
    /// [`ADDRESS`] is replaced by port 0 before a server has started, and then by the address of the server.
    ///
    /// # Errors
    /// When the line fails or exceeds the deadline.
    pub(crate) fn run(&mut self, line: &str) -> Result<Vec<String>> {
        let address = self.address.as_deref().unwrap_or("127.0.0.1:0");
        let line = line
            .replace(ADDRESS, address)
            .replace(TWO_WORDS, &address.replacen(':', " ", 1));
        println!("$ {line}");
        let mut command = checkout::clean("sh");
        command.args(["-c", &line]).env("PATH", &self.path);
        let running = Running::start(command.stdout(Stdio::piped()), &format!("`{line}`"))?;
        let mut running = running.within(self.deadline);
        let mut printed = Vec::new();
        while let Some(said) = running.next_line()? {
            println!("{said}");
            if let Some(address) = listening_on(&said) {
                self.address = Some(address);
                self.servers.push(running.within(Duration::MAX));
                return Ok(printed);
            }
            printed.push(said);
        }
        running.succeed()?;
        while self.server_says(PATIENCE)? {}
        Ok(printed)
    }

    /// Shows what servers print, until one has printed `line` as the last one.
    ///
    /// # Errors
    /// When none prints it within the deadline.
    pub(crate) fn wait_for(&mut self, line: &str) -> Result<()> {
        let end = Instant::now() + self.deadline;
        while self.last_said != line {
            self.server_says(PATIENCE)?;
            if self.last_said != line && Instant::now() >= end {
                bail!(
                    "the server did not print {line:?}, but {:?}",
                    self.last_said
                );
            }
        }
        Ok(())
    }

    /// Shows a line of a server; returns false if none has printed one within `patience`.
    fn server_says(&mut self, patience: Duration) -> Result<bool> {
        for server in &mut self.servers {
            if let Some(said) = server.line_within(patience)? {
                println!("server | {said}");
                self.last_said = said;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The address in the line that a server prints: the form of serve.wasm, or that of the programs in Python.
fn listening_on(said: &str) -> Option<String> {
    if let Some(address) = said.strip_prefix(LISTENING) {
        return Some(address.trim().to_owned());
    }
    // `Serving on ('127.0.0.1', 8888)`
    let (host, rest) = said.strip_prefix("Serving on ('")?.split_once("', ")?;
    Some(format!("{host}:{}", rest.split(')').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_runs_until_the_session_ends_and_later_lines_get_its_port() {
        let mut session = Session::new([]);
        let server = format!("echo listening on {ADDRESS} | sed s/:0/:4711/; exec sleep 600");
        assert!(session.run(&server).unwrap().is_empty());
        assert_eq!(
            session.run(&format!("echo {ADDRESS}")).unwrap(),
            ["127.0.0.1:4711"]
        );
        assert!(session.run("exit 1").is_err());
        assert_eq!(
            session.run("echo 127.0.0.1 8888").unwrap(),
            ["127.0.0.1 4711"]
        );
    }

    #[test]
    fn the_last_line_of_a_server_can_be_waited_for() {
        let mut session = Session::new([]).within(Duration::from_secs(60));
        let server = format!("echo listening on {ADDRESS}; echo hello; echo end; exec sleep 600");
        session.run(&server).unwrap();
        session.wait_for("end").unwrap();
        session.deadline = Duration::from_millis(50);
        assert!(session.wait_for("more").is_err());
    }

    #[test]
    fn servers_in_python_print_another_form() {
        let said = "Serving on ('127.0.0.1', 4711), ('127.0.0.2', 4712)";
        assert_eq!(listening_on(said).as_deref(), Some("127.0.0.1:4711"));
        assert_eq!(
            listening_on("listening on 127.0.0.1:1").as_deref(),
            Some("127.0.0.1:1")
        );
        assert_eq!(listening_on("Serving nobody"), None);
    }
}
