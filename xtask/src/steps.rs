//! The steps of a long command. Each is announced, timed, and listed in the summary.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The numbers of checks that passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// Adds the numbers of a closing line of cargo's test runner. Other lines change nothing.
    pub(crate) fn add_line(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        let count = |what: &str| {
            let words: Vec<_> = rest.split([' ', ';']).collect();
            let at = words.iter().position(|word| *word == what)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        self.passed += count("passed").unwrap_or(0);
        self.failed += count("failed").unwrap_or(0);
        self.skipped += count("ignored").unwrap_or(0);
    }

    /// Returns the result of something optional. An error is reported and counted as skipped, unless `required` forbids that.
    pub(crate) fn optional<T>(
        &mut self,
        required: bool,
        what: &str,
        result: Result<T>,
    ) -> Result<Option<T>> {
        match result {
            Err(error) if !required => {
                eprintln!("\n!!! Left out: {what}. {error:#}\n");
                self.skipped += 1;
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The steps so far.
pub(crate) struct Steps {
    /// Whether the first failure ends the command.
    fail_fast: bool,
    started: Instant,
    done: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    /// The CPU time of the programs that the step started; none where the system does not report it.
    cpu: Option<Duration>,
    tally: Tally,
    error: Option<String>,
}

impl Steps {
    /// Creates an empty list. With `fail_fast`, no step runs after a failed one.
    pub(crate) fn new(fail_fast: bool) -> Self {
        Self {
            fail_fast,
            started: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Runs a step, which counts its checks in the tally. A step that counts nothing is one check.
    ///
    /// Returns the result of the step, or nothing when it failed or was skipped after an earlier failure.
    pub(crate) fn run<T>(
        &mut self,
        name: &str,
        step: impl FnOnce(&mut Tally) -> Result<T>,
    ) -> Option<T> {
        if self.fail_fast && self.done.iter().any(|step| step.error.is_some()) {
            return None;
        }
        eprintln!("\n=== {name}");
        let (started, cpu_before) = (Instant::now(), cpu_of_children());
        let mut tally = Tally::default();
        let result = step(&mut tally);
        let took = started.elapsed();
        let cpu = cpu_of_children().zip(cpu_before);
        let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
        if result.is_err() {
            tally.failed = tally.failed.max(1);
        } else if tally == Tally::default() {
            tally.passed = 1;
        }
        let error = result.as_ref().err().map(|error| format!("{error:#}"));
        let verdict = if error.is_none() { "done" } else { "FAILED" };
        eprintln!("=== {name}: {verdict} in {:.1} s", took.as_secs_f64());
        self.done.push(Step {
            name: name.to_owned(),
            took,
            cpu,
            tally,
            error,
        });
        result.ok()
    }

    /// Prints the summary: a line for each step, the errors, and the totals.
    ///
    /// # Errors
    /// When a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        let mut total = Tally::default();
        let (mut errors, mut failed) = (String::new(), Vec::new());
        println!();
        for step in &self.done {
            let (name, seconds, tally) = (&step.name, step.took.as_secs_f64(), step.tally);
            let mut verdict = "ok";
            if let Some(error) = &step.error {
                verdict = "FAILED";
                errors += &format!("\n{name} failed: {error}\n");
                failed.push(name.as_str());
            }
            let cpu = step
                .cpu
                .map_or_else(String::new, |cpu| format!("{:.0}", cpu.as_secs_f64()));
            println!(
                "{seconds:>8.1} s  {cpu:>5} CPU s  {verdict:<6}  {name} ({} passed, {} failed)",
                tally.passed, tally.failed
            );
            total.add(tally);
        }
        println!("{:>8.1} s  in all", self.started.elapsed().as_secs_f64());
        print!("{errors}");
        println!(
            "\n{} passed, {} failed, {} skipped",
            total.passed, total.failed, total.skipped
        );
        ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }
}

/// The CPU time of the ended children of this process. Linux reports it.
fn cpu_of_children() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may contain blanks. The state follows, and 13 and 14 fields after it the times, in hundredths.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let mut hundredths = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (hundredths()? + hundredths()?)))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn closing_lines_of_test_runs_are_added_up() {
        let mut tally = Tally::default();
        tally.add_line("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s");
        tally.add_line(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        tally.add_line("test a::b ... ok");
        assert_eq!(
            tally,
            Tally {
                passed: 15,
                failed: 2,
                skipped: 1
            }
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_time_of_children_is_counted() {
        let before = cpu_of_children().unwrap();
        let mut busy = std::process::Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]);
        assert!(busy.status().unwrap().success());
        assert!(cpu_of_children().unwrap() > before);
    }

    #[test]
    fn a_failed_step_ends_a_fail_fast_command() {
        let mut steps = Steps::new(true);
        assert_eq!(steps.run("one", |_| Ok(1)), Some(1));
        assert_eq!(steps.run::<()>("two", |_| bail!("no")), None);
        assert_eq!(steps.run("three", |_| Ok(3)), None);
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: two");
    }

    #[test]
    fn other_commands_continue_after_a_failed_step() {
        let mut steps = Steps::new(false);
        assert_eq!(steps.run::<()>("one", |_| bail!("no")), None);
        assert_eq!(steps.run("two", |_| Ok(2)), Some(2));
        assert!(steps.finish().is_err());
    }
}
