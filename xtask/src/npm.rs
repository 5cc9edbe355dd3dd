//! Finds npm, which packs the package of the components for npm. The test of the package runs Node, which comes with it.

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
        .context("the package for npm takes Node.js 18 or later with npm: put both on PATH")
}
