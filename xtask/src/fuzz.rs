//! Runs every fuzz target for some seconds. `guest/core/fuzz/README.md` describes longer runs.

use anyhow::{Result, ensure};

use crate::steps::Steps;
use crate::{cargo, checkout, process};

/// The workspace of the fuzz targets, which have compiler flags of their own.
pub(crate) const FOLDER: &str = "guest/core/fuzz";

/// Enough for tens of thousands of inputs to each target.
const SECONDS: u32 = 5;

/// Runs each target as a step. An input that fails is written to the folder of the targets.
pub(crate) fn run(steps: &mut Steps) {
    let targets = steps.run("the fuzz targets", |_| targets());
    for target in targets.unwrap_or_default() {
        steps.run(&format!("fuzzing {target}"), |_| fuzz(&target));
    }
}

fn targets() -> Result<Vec<String>> {
    let folder = checkout::root().join(FOLDER).join("targets");
    let files = checkout::files(&folder, "rs")?;
    ensure!(!files.is_empty(), "{} has no target", folder.display());
    let names = files.iter().filter_map(|file| file.file_stem()?.to_str());
    Ok(names.map(str::to_owned).collect())
}

fn fuzz(target: &str) -> Result<()> {
    let mut command = cargo::plain("run --locked --release");
    // The configuration of that folder has the flags, which these variables would replace.
    command
        .current_dir(checkout::root().join(FOLDER))
        .env("CARGO_TARGET_DIR", checkout::target().join("fuzz"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.args(["--bin", target, "--"]);
    command.arg(format!("-max_total_time={SECONDS}"));
    process::run(&mut command, &format!("fuzzing {target}"))
}
