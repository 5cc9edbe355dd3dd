//! Generates bindings in C and Go, and makes components of the modules that their compilers write.
//!
//! The released programs do the same: `wit-bindgen c`, `wit-bindgen go`, `wasm-tools component embed` and `wasm-tools
//! component new`. This one is built from crates that the workspace already uses.

mod go;
mod oci;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

/// Generates bindings in C and Go, and makes components of modules.
#[derive(Parser)]
#[command(name = "asyncio-streams-generate")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write `bindings.h`, `bindings.c` and `bindings_component_type.o`.
    C {
        #[command(flatten)]
        world: World,
        /// The folder to write to.
        #[arg(long)]
        out: PathBuf,
        /// Make every async function an ordinary one that blocks.
        #[arg(long)]
        blocking: bool,
    },
    /// Write the packages `imports`, `types` and `exports/wit_WORLD` of the Go module.
    Go {
        #[command(flatten)]
        world: World,
        /// The folder to write to.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write the adapter that implements system calls of WASI 0.1, for `wasm-tools component new`.
    Adapter {
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Encode a WIT package.
    Wit {
        /// The folder of the package.
        wit: PathBuf,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write components as OCI artifacts, into one folder in the OCI image layout.
    Oci {
        /// The components. The name of each file, without `.wasm`, is its reference in the layout.
        #[arg(required = true)]
        components: Vec<PathBuf>,
        /// The version, for the annotations.
        #[arg(long)]
        version: String,
        /// The folder to write to.
        #[arg(long)]
        out: PathBuf,
    },
    /// List the crates that are compiled into a package, as CycloneDX.
    Sbom {
        /// The manifest of its workspace.
        manifest: PathBuf,
        /// The package.
        package: String,
        /// The target that it is compiled for.
        #[arg(long)]
        target: String,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a component of a module; system calls of WASI 0.1 go through an adapter.
    Component {
        /// The module.
        module: PathBuf,
        /// The world, for a module that does not name it, as those of C do.
        #[arg(long, requires = "name")]
        wit: Option<PathBuf>,
        #[arg(long = "world", requires = "wit")]
        name: Option<String>,
        /// The component to write.
        #[arg(long)]
        out: PathBuf,
    },
}

/// A world of a WIT package.
#[derive(clap::Args)]
struct World {
    /// The folder of the WIT package, with its dependencies in `deps`.
    wit: PathBuf,
    /// The world's name.
    world: String,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::C {
            world,
            out,
            blocking,
        } => {
            let mut options = wit_bindgen_c::Opts {
                rename_world: Some("bindings".into()),
                ..Default::default()
            };
            if blocking {
                options.async_.push("all");
            }
            write(&generate(&world, options.build())?, &out)
        }
        Command::Go { world, out } => go::generate(&world, &out),
        Command::Adapter { out } => fs::write(&out, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
            .with_context(|| format!("cannot write {}", out.display())),
        Command::Wit { wit, out } => package(&wit, &out),
        Command::Oci {
            components,
            version,
            out,
        } => oci::write(&components, &version, &out),
        Command::Sbom {
            manifest,
            package,
            target,
            out,
        } => sbom::write(&manifest, &package, &target, &out),
        Command::Component {
            module,
            wit,
            name,
            out,
        } => component(&module, wit.as_deref().zip(name.as_deref()), &out),
    }
}

/// Returns the package of `folder` and the world with that name.
fn resolve(folder: &Path, world: &str) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(folder)
        .with_context(|| format!("cannot read the WIT package in {}", folder.display()))?;
    let id = resolve
        .select_world(&[package], Some(world))
        .with_context(|| format!("{} has no world {world}", folder.display()))?;
    Ok((resolve, id))
}

fn generate(world: &World, mut generator: Box<dyn WorldGenerator>) -> Result<Files> {
    let (mut resolve, id) = resolve(&world.wit, &world.world)?;
    let mut files = Files::default();
    generator.generate(&mut resolve, id, &mut files)?;
    Ok(files)
}

fn write(files: &Files, out: &Path) -> Result<()> {
    for (name, content) in files.iter() {
        let file = out.join(name);
        let folder = file.parent().unwrap_or(out);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn package(folder: &Path, out: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let (id, _) = resolve
        .push_path(folder)
        .with_context(|| format!("cannot read the WIT package in {}", folder.display()))?;
    fs::write(out, wit_component::encode(&resolve, id, false)?)
        .with_context(|| format!("cannot write {}", out.display()))
}

fn component(module: &Path, world: Option<(&Path, &str)>, out: &Path) -> Result<()> {
    let mut content =
        fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    if let Some((folder, name)) = world {
        let (resolve, id) = resolve(folder, name)?;
        embed_component_metadata(&mut content, &resolve, id, StringEncoding::UTF8, false)?;
    }
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&content)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()
        .with_context(|| format!("{} does not fit its world", module.display()))?;
    fs::write(out, component).with_context(|| format!("cannot write {}", out.display()))
}
