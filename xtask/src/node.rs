//! Node and npm, for programs in JavaScript.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{checkout, debian, tools};

/// Returns when npm and Node are on PATH; installs Debian's packages if they are missing.
///
/// # Errors
/// When they are missing and cannot be installed.
pub(crate) fn require() -> Result<()> {
    if ["npm", "node"]
        .iter()
        .all(|program| checkout::on_path(program).is_some())
    {
        return Ok(());
    }
    debian::apt_install(&["nodejs", "npm"])
        .context("the package for npm and components on Node take Node.js 20 or later with npm: put both on PATH")
}

/// Returns when both are there, in versions that fit.
///
/// # Errors
/// When one is missing or too old.
pub(crate) fn check(_make: &mut Command) -> Result<()> {
    ensure!(
        tools::reports("node", "--version", ">=20") && tools::reports("npm", "--version", "*"),
        "it takes Node 20 or newer, and npm, on PATH"
    );
    Ok(())
}
