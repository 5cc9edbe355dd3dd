//! The file of a listening Unix socket.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The file of a Unix socket, removed on drop unless another one has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// None for a file that stays.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: Some(identity(path)?),
        })
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) {
        self.identity = None;
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let Some(known) = self.identity else { return };
        if identity(&self.path).is_ok_and(|now| now == known) {
            // Nothing depends on it: the next server replaces a file that is left.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The identity of a file, which differs from that of another file at the same path.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let about = std::fs::symlink_metadata(path)?;
    Ok((about.dev(), about.ino()))
}
