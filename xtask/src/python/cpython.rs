//! Where CPython's own tests of asyncio's streams come from. They are copied to `target/`, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{machine, place};
use crate::{checkout, process};

/// The files of CPython's package `test` that the two modules need, below its folder.
const FILES: [&str; 10] = [
    "__init__.py",
    "test_asyncio/__init__.py",
    "test_asyncio/functional.py",
    "test_asyncio/test_server.py",
    "test_asyncio/test_streams.py",
    "test_asyncio/utils.py",
    "certdata/ssl_cert.pem",
    "certdata/ssl_key.pem",
    "certdata/keycert3.pem",
    "certdata/pycacert.pem",
];

/// Of this folder everything is taken.
const SUPPORT: &str = "support";

/// Debian's packages of CPython 3.13, and the release that has them. Its archive keeps the version.
const PACKAGES: [&str; 2] = ["libpython3.13-testsuite", "libpython3.13-stdlib"];
const RELEASE: &str = "trixie";
const ARCHIVE: &str = "http://deb.debian.org/debian";
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where their version is noted, as `3.13.5-2`.
const VERSION: &str = "version";

/// Getting the packages.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// CPython's tests, in a folder that Python finds modules in.
pub(super) struct Tests {
    pub(super) folder: PathBuf,
    /// Whose they are, as `CPython 3.13.5`.
    pub(super) from: String,
}

/// Finds the tests of CPython 3.13 on this machine, of a later one if there is no 3.13, or gets Debian's.
///
/// # Errors
/// When there are none, and they cannot be had.
pub(super) fn get() -> Result<Tests> {
    let mut installed = machine::all();
    // The oldest that will do: results are compared from one machine to the next.
    installed.reverse();
    for python in installed.iter().filter(|python| python.is_at_least(13)) {
        let Some(package) = python.print("test", "test.__path__[0]").map(PathBuf::from) else {
            continue;
        };
        if FILES.iter().all(|file| package.join(file).is_file()) {
            return copy(&package, format!("CPython {}", python.version));
        }
    }
    let root = debians()?;
    let patchlevel = fs::read_to_string(root.join(VERSION)).unwrap_or_default();
    copy(
        &root.join("usr/lib/python3.13/test"),
        format!("CPython {} of Debian's {RELEASE}", patchlevel.trim()),
    )
}

fn copy(package: &Path, from: String) -> Result<Tests> {
    let folder = place().join("cpython");
    let _ = fs::remove_dir_all(&folder);
    let put = |file: &Path| -> Result<()> {
        let to = folder.join("test").join(file);
        fs::create_dir_all(to.parent().unwrap_or(&folder))?;
        fs::copy(package.join(file), &to)
            .with_context(|| format!("cannot copy {}", package.join(file).display()))?;
        Ok(())
    };
    for file in FILES {
        put(Path::new(file))?;
    }
    for entry in fs::read_dir(package.join(SUPPORT))? {
        let name = entry?.file_name();
        let file = Path::new(SUPPORT).join(&name);
        if file.extension().is_some_and(|extension| extension == "py") {
            put(&file)?;
        }
    }
    Ok(Tests { folder, from })
}

/// The folder of Debian's packages, unpacked and not installed.
fn debians() -> Result<PathBuf> {
    let folder = place().join("debian");
    let root = folder.join("root");
    if root.is_dir() {
        return Ok(root);
    }
    let because = "no CPython 3.13 or later on this machine has its tests (its package `test`), and Debian's cannot be had";
    if checkout::on_path("apt-get").is_none() || !Path::new(KEYS).exists() {
        bail!("{because}: this is no Debian");
    }
    eprintln!(
        "Getting CPython's tests from Debian's packages: {}",
        PACKAGES.join(", ")
    );
    for below in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(folder.join(below))?;
    }
    let list = folder.join("sources.list");
    fs::write(
        &list,
        format!("deb [signed-by={KEYS}] {ARCHIVE} {RELEASE} main\n"),
    )?;
    // Lists and settings of their own: the machine's are for its own release.
    let apt = |arguments: &[&str]| -> Result<()> {
        let mut command = checkout::clean("apt-get");
        let shown = folder.display();
        for option in [
            format!("Dir::Etc::SourceList={}", list.display()),
            "Dir::Etc::SourceParts=-".to_owned(),
            format!("Dir::State::lists={shown}/lists"),
            format!("Dir::Cache={shown}/cache"),
            // When root asks, apt downloads as a user of its own, who may not enter this folder.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
            .args(["-q", "-q"])
            .args(arguments)
            .current_dir(&folder);
        process::run(&mut command, "apt-get", DEADLINE)
    };
    apt(&["update"]).context(because)?;
    let download: Vec<_> = ["download"].into_iter().chain(PACKAGES).collect();
    apt(&download).context(because)?;
    let fresh = folder.join("fresh");
    for entry in fs::read_dir(&folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            let mut command = Command::new("dpkg");
            command.arg("--extract").arg(&file).arg(&fresh);
            process::run(&mut command, "unpacking CPython's tests", DEADLINE)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            // PACKAGE_VERSION_ARCHITECTURE.deb
            fs::write(
                fresh.join(VERSION),
                name.split('_').nth(1).unwrap_or("3.13"),
            )?;
        }
    }
    // Whole or not at all.
    fs::rename(&fresh, &root)?;
    Ok(root)
}
