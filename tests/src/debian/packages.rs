//! Downloads and unpacks packages, without root's rights.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{fs, io};

use super::DEADLINE;
use crate::components::target;
use crate::native;

/// Returns the folder of a package with all dependencies that this machine lacks; it is downloaded if it does not
/// exist yet.
///
/// # Errors
/// The reason why it is not available.
pub(super) fn unpacked(package: &str) -> Result<PathBuf, String> {
    // One at a time: tests run in parallel.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let peers = target().join("peers");
    let root = peers.join(package);
    if root.is_dir() {
        return Ok(root);
    }
    for tool in ["apt-get", "dpkg"] {
        if super::installed(tool).is_none() {
            return Err(format!(
                "it is not installed, and this machine has no {tool} to get it with"
            ));
        }
    }
    let said = |error: io::Error| error.to_string();
    fs::create_dir_all(&peers).map_err(said)?;
    let work = tempfile::tempdir_in(&peers).map_err(said)?;
    // The machine's lists may be missing, or name versions that no longer exist.
    if let Err(first) = Apt::of_the_machine().download(package, work.path()) {
        static FRESH: OnceLock<Result<Apt, String>> = OnceLock::new();
        let fresh = FRESH.get_or_init(|| Apt::with_fresh_lists(&peers.join(".lists")));
        let second = fresh.as_ref().map_err(Clone::clone);
        second
            .and_then(|apt| apt.download(package, work.path()))
            .map_err(|second| format!("{first}\nand with fresh lists: {second}"))?;
    }
    let fresh = work.path().join("root");
    for entry in fs::read_dir(work.path()).map_err(said)? {
        let file = entry.map_err(said)?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            native::output(
                Command::new("dpkg").arg("--extract").arg(&file).arg(&fresh),
                DEADLINE,
            )?;
        }
    }
    // Rename, so that the folder is complete or missing: another run of the tests may use or have made it.
    match fs::rename(&fresh, &root) {
        Err(error) if !root.is_dir() => Err(said(error)),
        _ => Ok(root),
    }
}

/// `apt-get`, with some lists of packages.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn of_the_machine() -> Self {
        Self {
            options: Vec::new(),
        }
    }

    /// Downloads fresh lists from the machine's sources into a folder: only root may write the machine's own lists.
    fn with_fresh_lists(folder: &Path) -> Result<Self, String> {
        let said = |error: io::Error| error.to_string();
        let partial = folder.join("lists/partial");
        fs::create_dir_all(partial).map_err(said)?;
        fs::create_dir_all(folder.join("cache/archives/partial")).map_err(said)?;
        // A relative path would be taken as one below the system's own folders.
        let folder = fs::canonicalize(folder).map_err(said)?;
        let folder = folder.display();
        let apt = Self {
            options: vec![
                format!("Dir::State::lists={folder}/lists"),
                format!("Dir::Cache={folder}/cache"),
                // For root, apt downloads as a separate user, who may not enter this folder.
                "APT::Sandbox::User=root".into(),
            ],
        };
        apt.run(&["update"], &[], Path::new("."))?;
        Ok(apt)
    }

    /// Downloads a package, and everything that its installation would add, into `folder`.
    fn download(&self, package: &str, folder: &Path) -> Result<(), String> {
        let install = ["install", "--simulate", "--no-install-recommends", "-y"];
        let plan = self.run(&install, &[package], folder)?;
        let installed = plan.lines().filter_map(|line| line.strip_prefix("Inst "));
        let packages: Vec<&str> = installed
            .filter_map(|line| line.split(' ').next())
            .collect();
        if packages.is_empty() {
            return Err("nothing of it is to be installed".into());
        }
        self.run(&["download"], &packages, folder)?;
        Ok(())
    }

    fn run(&self, order: &[&str], packages: &[&str], folder: &Path) -> Result<String, String> {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-o", "DPkg::Lock::Timeout=120"]);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command.args(order).args(packages).current_dir(folder);
        // The compiler's libraries are not for other programs.
        command
            .env("LC_ALL", "C.UTF-8")
            .env_remove("LD_LIBRARY_PATH");
        native::output(&mut command, DEADLINE)
    }
}
