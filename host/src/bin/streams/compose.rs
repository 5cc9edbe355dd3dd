use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use asyncio_streams_host::Escaped;
use asyncio_streams_host::compose::{Composition, Part, compose};
use clap::Args;

#[derive(Args)]
pub(crate) struct Compose {
    /// The parts, in any order: the program, the components that it uses, and streams.wasm.
    #[arg(required = true, value_name = "PART.wasm")]
    parts: Vec<PathBuf>,

    /// The file to write.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
}

impl Compose {
    pub(crate) fn execute(self) -> anyhow::Result<ExitCode> {
        let parts = self
            .parts
            .iter()
            .map(Part::read)
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = parts.iter().map(|part| part.name().to_owned()).collect();
        let composition = compose(parts)?;
        let output = self.output.display().to_string();
        let output = Escaped(&output);
        std::fs::write(&self.output, composition.bytes())
            .with_context(|| format!("cannot write {output}"))?;
        println!("{output} is {}", Escaped(composition.program()));
        for line in plugs(&names, &composition) {
            println!("  {line}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// One line for each pair of parts that were joined.
fn plugs(names: &[String], composition: &Composition) -> Vec<String> {
    let mut lines = Vec::new();
    for user in names {
        for provider in names {
            let plugs = composition.plugs().iter();
            let plugs = plugs.filter(|plug| plug.user == *user && plug.provider == *provider);
            let interfaces: Vec<&str> = plugs.map(|plug| plug.interface.as_str()).collect();
            if !interfaces.is_empty() {
                lines.push(format!(
                    "{} uses {} for {}",
                    Escaped(user),
                    Escaped(provider),
                    Escaped(&interfaces.join(", "))
                ));
            }
        }
    }
    lines
}
