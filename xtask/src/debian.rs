//! Debian's packaged compiler, for machines whose rustup cannot reach its server.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::compiler::{Toolchain, version_of};
use crate::{checkout, process, tools};

/// The compiler, its cargo, the source of the library that it builds for WebAssembly, and the linkers.
pub(crate) const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];

/// The compiler of the packages, if they are installed.
///
/// # Errors
/// When the compiler is older than this project needs.
pub(crate) fn installed() -> Result<Option<Toolchain>> {
    // Fails if one is not installed.
    let files = process::output_of(Command::new("dpkg-query").arg("--listfiles").args(PACKAGES));
    if files.is_none() {
        return Ok(None);
    }
    // PATH may have other programs of the same names.
    let [rustc, cargo] = ["/usr/bin/rustc", "/usr/bin/cargo"].map(OsString::from);
    let version = version_of(&rustc);
    let needed = env!("CARGO_PKG_RUST_VERSION");
    if !tools::fits(&version, &format!(">={needed}")) {
        bail!(
            "Debian's rustc-web is {version}, and this project needs {needed}: \
             enable Debian's security updates, which have a later one"
        );
    }
    Ok(Some(Toolchain {
        cargo,
        rustc,
        builds_std: true,
        name: format!("Debian's rustc {version}, which builds the library too"),
        target_dir: checkout::target().join("guest-debian"),
    }))
}

/// Installs the compiler's packages.
///
/// # Errors
/// When this is not Debian, permissions or the network are missing, or the packages are too old.
pub(crate) fn install() -> Result<Toolchain> {
    apt_install(&PACKAGES)?;
    installed()?.context("apt-get has installed the packages, but dpkg-query does not find them")
}

/// Installs packages.
///
/// # Errors
/// When this is not Debian, or permissions or the network are missing.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let apt = checkout::on_path("apt-get").filter(|_| Path::new("/etc/debian_version").exists());
    let apt = apt.context("this machine has no apt-get")?;
    let sudo = needs_sudo()?;
    let by = if sudo { " (with sudo)" } else { "" };
    let list = packages.join(" ");
    eprintln!("Installing Debian's packages{by}: apt-get install {list}");
    let apt_get = |arguments: &[&str]| {
        let mut command = checkout::clean(if sudo { "sudo".into() } else { apt.clone() });
        if sudo {
            command.arg("-n").arg(&apt);
        }
        // Another apt may be running, such as the first update of a new machine. Progress bars need a terminal.
        command
            .args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env_remove("LD_LIBRARY_PATH");
        command
    };
    // A list that cannot be fetched may not matter. The next step shows it.
    if let Err(error) = process::run(&mut apt_get(&["update"]), "`apt-get update`") {
        eprintln!("{error}; continuing with the existing lists");
    }
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(packages);
    process::run(&mut apt_get(&install), "`apt-get install`")
        .context("the packages could not be installed; apt says why above")
}

/// Returns whether sudo must run a command as root.
fn needs_sudo() -> Result<bool> {
    let root = process::output_of(Command::new("id").arg("-u")).as_deref() == Some("0");
    let allowed = || process::output_of(Command::new("sudo").args(["-n", "true"])).is_some();
    ensure!(
        root || allowed(),
        "installing them needs root, or a sudo that asks for no password"
    );
    Ok(!root)
}
