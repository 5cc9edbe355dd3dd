use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use asyncio_streams_host::Escaped;
use clap::Args;

use crate::load::Loading;

#[derive(Args)]
pub(crate) struct Compile {
    #[command(flatten)]
    loading: Loading,

    /// Leave out the checks by which `streams serve` ends a program that computes too long. The program is some 6 %
    /// faster, and copies lists two to three times as fast; `streams serve` takes it only with `--stuck-timeout off`.
    #[arg(long)]
    uninterruptible: bool,

    /// The program.
    #[arg(value_name = "APP.wasm")]
    program: PathBuf,

    /// The file to write. It is machine code for this kind of machine and this version of `streams`, and runs with
    /// all rights of its user. Keep it where only trusted users can write.
    #[arg(short, long, value_name = "APP.cwasm")]
    output: PathBuf,
}

impl Compile {
    pub(crate) fn execute(self) -> anyhow::Result<ExitCode> {
        let bytes = self.loading.compose(&self.program)?;
        let engine = self.loading.engine(!self.uninterruptible)?;
        let compiled = engine.compile(self.program.to_string_lossy(), &bytes)?;
        let output = self.output.to_string_lossy();
        replace(&self.output, &compiled)
            .with_context(|| format!("cannot write {}", Escaped(&output)))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a new file in place of an existing one, which a running program may have mapped.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A link stays a link, and a device a device.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    if std::fs::metadata(&file).is_ok_and(|existing| !existing.is_file()) {
        return std::fs::write(file, bytes);
    }
    let mut fresh = file.clone().into_os_string();
    fresh.push(format!(".{}", std::process::id()));
    let written = std::fs::write(&fresh, bytes).and_then(|()| std::fs::rename(&fresh, &file));
    if written.is_err() {
        // The error of writing matters, not that of removing a file which may not exist.
        let _ = std::fs::remove_file(&fresh);
    }
    written
}
