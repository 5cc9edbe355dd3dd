//! What became of one test, on either side.

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    /// With the reason.
    Skipped(String),
    /// With all that was said about it.
    Failed(String),
}

impl Outcome {
    /// Of what the component printed, and whether it ended well.
    pub(super) fn of(printed: &[String], well: bool) -> Self {
        let verdict = printed
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("verdict: "));
        match verdict {
            Some("ok") if well => Self::Passed,
            Some(verdict) if well && verdict.starts_with("skipped") => {
                Self::Skipped(verdict.trim_start_matches("skipped: ").to_owned())
            }
            // After a trap a verdict means nothing.
            _ => Self::Failed(printed.join("\n")),
        }
    }
}

/// One test with asyncio's own streams and with ours.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// As `test_streams.StreamTests.test_read`.
    pub(super) name: String,
    pub(super) stock: Outcome,
    pub(super) ours: Outcome,
}

impl Pair {
    /// Why this may not be: what asyncio's own streams pass, ours pass; what ours skip, asyncio's skip too.
    pub(super) fn complaint(&self) -> Option<String> {
        let Self { name, stock, ours } = self;
        match (stock, ours) {
            (Outcome::Passed, Outcome::Failed(said)) => {
                Some(format!("{name} fails with ours alone:\n{said}"))
            }
            (Outcome::Passed | Outcome::Failed(_), Outcome::Skipped(reason)) => {
                Some(format!("{name} is skipped with ours alone: {reason}"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_verdict() {
        let of = |text: &str, well| {
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            Outcome::of(&lines, well)
        };
        let failed = |text: &str| Outcome::Failed(text.to_owned());
        assert_eq!(
            of("noise\nverdict: ok\nnoise at the end", true),
            Outcome::Passed
        );
        let skipped = Outcome::Skipped("no ssl".to_owned());
        assert_eq!(of("verdict: skipped: no ssl", true), skipped);
        assert_eq!(
            of("Traceback\nverdict: failed", true),
            failed("Traceback\nverdict: failed")
        );
        assert_eq!(
            of("verdict: ok\na trap", false),
            failed("verdict: ok\na trap")
        );
        assert_eq!(of("", true), failed(""));
    }

    #[test]
    fn only_ours_can_be_blamed() {
        let (passed, skipped) = (Outcome::Passed, Outcome::Skipped("why".to_owned()));
        let failed = Outcome::Failed("how".to_owned());
        let blamed = |stock: &Outcome, ours: &Outcome| {
            let (stock, ours) = (stock.clone(), ours.clone());
            let name = "name".to_owned();
            Pair { name, stock, ours }.complaint().is_some()
        };
        assert!(blamed(&passed, &failed));
        assert!(blamed(&passed, &skipped));
        assert!(blamed(&failed, &skipped));
        assert!(!blamed(&failed, &failed));
        assert!(!blamed(&failed, &passed));
        assert!(!blamed(&skipped, &skipped));
        assert!(!blamed(&skipped, &failed));
        assert!(!blamed(&passed, &passed));
    }
}
