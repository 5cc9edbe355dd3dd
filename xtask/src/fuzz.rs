//! Every fuzz target, for some seconds. `guest/core/fuzz/README.md` tells how to fuzz for longer.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::steps::Steps;
use crate::{checkout, process};

/// The fuzz targets: a workspace of their own, since the compiler gets other flags there.
pub(crate) const FOLDER: &str = "guest/core/fuzz";

/// Enough for tens of thousands of inputs to each target.
const SECONDS: u32 = 5;

/// Compiling libFuzzer included.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// Runs each target, as a step of its own. An input that a target fails on is left in its folder.
pub(crate) fn run(steps: &mut Steps) {
    let targets = steps.run("the fuzz targets", |_| targets());
    for target in targets.unwrap_or_default() {
        steps.run(&format!("fuzzing {target}"), |_| fuzz(&target));
    }
}

fn targets() -> Result<Vec<String>> {
    let folder = checkout::root().join(FOLDER).join("targets");
    let mut names = Vec::new();
    for file in
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "rs") {
            names.extend(
                file.file_stem()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    if names.is_empty() {
        bail!("{} has no target", folder.display());
    }
    names.sort();
    Ok(names)
}

fn fuzz(target: &str) -> Result<()> {
    let mut command = checkout::clean(checkout::cargo());
    // That folder's configuration has the flags; these variables would replace them.
    command.current_dir(checkout::root().join(FOLDER));
    command
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.args([
        "run",
        "--locked",
        "--release",
        "--bin",
        target,
        "--target-dir",
    ]);
    command.arg(checkout::target().join("fuzz"));
    command.args(["--".to_owned(), format!("-max_total_time={SECONDS}")]);
    process::run(&mut command, &format!("fuzzing {target}"), DEADLINE)
}
