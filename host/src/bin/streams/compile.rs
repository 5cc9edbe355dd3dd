use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use asyncio_streams_host::compose::Part;
use asyncio_streams_host::{Engine, Escaped, Program};
use clap::Args;

#[derive(Args)]
pub(crate) struct Compile {
    /// The program, composed.
    #[arg(value_name = "APP.wasm")]
    program: PathBuf,

    /// The file to write. It fits this machine and this version of `streams`.
    #[arg(short, long, value_name = "APP.cwasm")]
    output: PathBuf,
}

impl Compile {
    pub(crate) fn execute(self) -> anyhow::Result<ExitCode> {
        let part = Part::read(&self.program)?;
        let compiled = Program::precompile(&Engine::new()?, part.name(), part.bytes())?;
        let output = self.output.display().to_string();
        std::fs::write(&self.output, compiled)
            .with_context(|| format!("cannot write {}", Escaped(&output)))?;
        Ok(ExitCode::SUCCESS)
    }
}
