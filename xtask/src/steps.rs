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
    /// A line for each step.
    summary: String,
    /// The names of the failed steps, and their errors.
    failed: Vec<String>,
    errors: String,
    total: Tally,
}

impl Steps {
    /// Creates an empty list. With `fail_fast`, no step runs after a failed one.
    pub(crate) fn new(fail_fast: bool) -> Self {
        Self {
            fail_fast,
            started: Instant::now(),
            summary: String::new(),
            failed: Vec::new(),
            errors: String::new(),
            total: Tally::default(),
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
        if self.fail_fast && !self.failed.is_empty() {
            return None;
        }
        eprintln!("\n=== {name}");
        let (started, cpu_before) = (Instant::now(), cpu_of_children());
        let mut tally = Tally::default();
        let result = step(&mut tally);
        let seconds = started.elapsed().as_secs_f64();
        let cpu = cpu_of_children().zip(cpu_before);
        // Empty where the system does not report it.
        let cpu = cpu.map_or_else(String::new, |(after, before)| {
            format!("{:.0}", after.saturating_sub(before).as_secs_f64())
        });
        let mut verdict = "ok";
        if let Err(error) = &result {
            verdict = "FAILED";
            tally.failed = tally.failed.max(1);
            self.failed.push(name.to_owned());
            self.errors += &format!("\n{name} failed: {error:#}\n");
        } else if tally == Tally::default() {
            tally.passed = 1;
        }
        eprintln!("=== {name}: {verdict} in {seconds:.1} s");
        self.summary += &format!(
            "{seconds:>8.1} s  {cpu:>5} CPU s  {verdict:<6}  {name} ({} passed, {} failed)\n",
            tally.passed, tally.failed
        );
        self.total.add(tally);
        result.ok()
    }

    /// Prints the summary: a line for each step, the errors, and the totals.
    ///
    /// # Errors
    /// When a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        print!("\n{}", self.summary);
        println!("{:>8.1} s  in all", self.started.elapsed().as_secs_f64());
        print!("{}", self.errors);
        let Tally {
            passed,
            failed,
            skipped,
        } = self.total;
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
        let names = self.failed.join(", ");
        ensure!(self.failed.is_empty(), "failed: {names}");
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
