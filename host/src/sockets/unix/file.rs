//! The file of a listening Unix socket.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The file of a Unix socket, removed on drop unless another one has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Identity,
    stays: bool,
}

impl SocketFile {
    /// Finds the file of a socket that was just bound.
    ///
    /// # Errors
    /// `NotFound` if another process has put something else there meanwhile.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let about = std::fs::symlink_metadata(path)?;
        if !about.file_type().is_socket() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self {
            path: path.to_owned(),
            identity: identity(&about),
            stays: false,
        })
    }

    /// Sets the permissions of this file, and never those of another one: a program that can write to the folder may
    /// have put a link there.
    ///
    /// # Errors
    /// `NotFound` if the file is not there any more.
    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        set_mode(&self.path, self.identity, mode)
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) {
        self.stays = true;
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_there = || {
            let about = std::fs::symlink_metadata(&self.path);
            about.is_ok_and(|about| identity(&about) == self.identity)
        };
        if !self.stays && is_there() {
            // Nothing depends on it: the next server replaces a file that is left.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The device and the number of a file, which differ from those of another file at the same path.
type Identity = (u64, u64);

fn identity(about: &Metadata) -> Identity {
    (about.dev(), about.ino())
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn set_mode(path: &Path, known: Identity, mode: u32) -> io::Result<()> {
    use std::fs::{File, Permissions, set_permissions};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::fs::{Mode, OFlags, open};

    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if identity(&file.metadata()?) != known {
        return Err(io::ErrorKind::NotFound.into());
    }
    // A descriptor of this kind cannot be changed itself, but its name in /proc leads to the same file.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    set_permissions(name, Permissions::from_mode(mode))
}

/// These systems can only refuse to follow a link.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn set_mode(path: &Path, _: Identity, mode: u32) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, Mode, RawMode, chmodat};

    let mode = RawMode::try_from(mode).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mode = Mode::from_raw_mode(mode);
    Ok(chmodat(CWD, path, mode, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn mode(path: &Path) -> u32 {
        let about = fs::symlink_metadata(path).expect("a file");
        about.permissions().mode() & 0o7777
    }

    #[test]
    fn the_mode_of_no_other_file_is_set() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let _listener = UnixListener::bind(at("a.sock")).expect("a socket");
        let file = SocketFile::of(&at("a.sock")).expect("its file");
        file.set_mode(0o620).expect("its mode");
        assert_eq!(mode(&at("a.sock")), 0o620);

        fs::rename(at("a.sock"), at("moved.sock")).expect("moved");
        assert!(file.set_mode(0o777).is_err());
        fs::write(at("other"), "").expect("a file");
        fs::set_permissions(at("other"), Permissions::from_mode(0o600)).expect("its mode");
        symlink(at("other"), at("a.sock")).expect("a link");
        assert!(file.set_mode(0o777).is_err());
        assert!(SocketFile::of(&at("a.sock")).is_err());
        assert_eq!(mode(&at("other")), 0o600);

        drop(file);
        assert!(at("a.sock").is_symlink(), "another file was removed");
    }

    #[test]
    fn the_file_is_removed_unless_it_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sock");
        let _listener = UnixListener::bind(&path).expect("a socket");
        SocketFile::of(&path).expect("its file").keep();
        assert!(path.exists());
        drop(SocketFile::of(&path).expect("its file"));
        assert!(!path.exists());
    }
}
