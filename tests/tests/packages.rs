//! Packages of the components for other ecosystems: npm, registries of containers, and C. Nothing in a component depends on the
//! folder in which it was built.

#[path = "packages/c.rs"]
mod c;
#[path = "packages/npm.rs"]
mod npm;
#[path = "packages/paths.rs"]
mod paths;
#[path = "packages/registry.rs"]
mod registry;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::output;
use asyncio_streams_tests::{component, generator, tls};
use tempfile::TempDir;

/// npm starts slowly on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The components that the packages contain, sorted.
const COMPONENTS: [&str; 7] = [
    "serve",
    "streams",
    "streams-p2",
    "streams-p2-tls",
    "streams-tls",
    "streams-unix",
    "streams-unix-tls",
];

/// Makes one package as a release does, in a temporary folder. Returns the folder and the package's file, or `None` without
/// `make`, the program that it calls, or the components with TLS.
fn made(package: &str, file: &str) -> Option<(TempDir, PathBuf)> {
    let generator = generator().filter(|_| tls())?;
    let mut make = Found::on_path("make", "install GNU make")?.command();
    let folder = tempfile::tempdir().expect("a folder");
    for name in COMPONENTS {
        let file = folder.path().join(format!("{name}.wasm"));
        fs::write(file, component(name)).expect("a component");
    }
    let bindings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings");
    make.args(["--silent", "--directory"]).arg(bindings);
    make.arg(format!("OUT={}", folder.path().display()));
    make.arg(format!("STAGE={}/stage", folder.path().display()));
    make.arg(format!("GENERATE={}", generator.display()));
    make.arg(format!("VERSION={VERSION}")).arg(package);
    output(&mut make, DEADLINE).expect("the package");
    let file = folder.path().join(file);
    assert!(
        file.is_file(),
        "`make {package}` wrote no {}",
        file.display()
    );
    Some((folder, file))
}
