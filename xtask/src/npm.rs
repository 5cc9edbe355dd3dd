//! Finds npm, which packs the package of the components for npm and installs jco, and Node, which runs both.

use anyhow::{Context as _, Result};

use crate::{checkout, debian};

/// Debian's packages.
const PACKAGES: [&str; 2] = ["nodejs", "npm"];

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
    debian::apt_install(&PACKAGES)
        .context("the package for npm and components on Node take Node.js 20 or later with npm: put both on PATH")
}
