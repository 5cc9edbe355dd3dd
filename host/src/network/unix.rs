//! Grants of Unix sockets, and the paths that programs name.
//!
//! A path is compared after its folder was resolved, so that no symbolic link leads out of the grants. The last part of
//! a grant is not resolved: a grant of a link does not grant the socket behind it.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use crate::text::Escaped;

/// The Unix sockets of a grant: `/run/app.sock` is one socket, `/run/app/` is every socket in that folder and below, and
/// `@NAME` is an abstract name of Linux.
///
/// A relative path counts from the current folder of this process. [`Display`](fmt::Display) writes a form that can be
/// parsed again, except for control characters, which it escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixPath(Granted);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Granted {
    Socket(PathBuf),
    Folder(PathBuf),
    Abstract(Vec<u8>),
}

impl FromStr for UnixPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if let Some(name) = text.strip_prefix('@') {
            return Ok(Self(Granted::Abstract(name.as_bytes().to_vec())));
        }
        // `absolute` fails for an empty text, and without a current folder. Such a path grants nothing, because programs
        // name absolute paths.
        let path = std::path::absolute(text).unwrap_or_else(|_| text.into());
        Ok(Self(match text.ends_with('/') {
            true => Granted::Folder(path),
            false => Granted::Socket(path),
        }))
    }
}

impl fmt::Display for UnixPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Granted::Socket(path) => write!(f, "{}", Escaped(&path.to_string_lossy())),
            Granted::Folder(path) => {
                let text = path.to_string_lossy();
                write!(f, "{}/", Escaped(text.trim_end_matches('/')))
            }
            Granted::Abstract(name) => write!(f, "@{}", Escaped(&String::from_utf8_lossy(name))),
        }
    }
}

/// The use of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnixUse {
    Connect,
    Listen,
}

/// A path as a program names it, after the checks that need no system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    File(PathBuf),
    Abstract(Vec<u8>),
}

/// The reason why a path cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathError {
    Invalid(&'static str),
    NotSupported(&'static str),
    Denied,
    NotFound(&'static str),
    /// The system does not let this process read the folder.
    Refused,
}

impl Named {
    /// Reads the bytes of a path. A zero byte begins an abstract name.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, PathError> {
        match bytes.split_first() {
            None => return Err(PathError::Invalid("it is empty")),
            Some((0, [])) => return Err(PathError::Invalid("the abstract name is empty")),
            Some((0, name)) if cfg!(target_os = "linux") => {
                return Ok(Self::Abstract(name.to_vec()));
            }
            Some((0, _)) => {
                return Err(PathError::NotSupported("only Linux has abstract names"));
            }
            Some(_) => {}
        }
        if bytes.contains(&0) {
            return Err(PathError::Invalid("it has a zero byte"));
        }
        let path = Path::new(OsStr::from_bytes(bytes));
        if !path.is_absolute() {
            return Err(PathError::Invalid(
                "it is relative, and a component has no current folder; begin it with /",
            ));
        }
        let ends_in_name = matches!(path.components().next_back(), Some(Component::Normal(_)));
        if !ends_in_name || bytes.ends_with(b"/") || bytes.ends_with(b"/.") {
            return Err(PathError::Invalid("it names a folder"));
        }
        Ok(Self::File(path.to_owned()))
    }

    /// Resolves links as the system does for this use: connecting follows a link in the last part, listening does not.
    pub(super) fn resolve_for(&self, wanted: UnixUse) -> io::Result<Self> {
        let resolved = self.resolve()?;
        match wanted {
            UnixUse::Connect => resolved.follow(),
            UnixUse::Listen => Ok(resolved),
        }
    }

    /// Returns the path, or `@` and the abstract name. It is not escaped, and bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Abstract(name) => format!("@{}", String::from_utf8_lossy(name)),
        }
    }

    /// Resolves the links of the folder.
    fn resolve(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Abstract(name) => Self::Abstract(name.clone()),
            Self::File(path) => match (path.parent(), path.file_name()) {
                (Some(folder), Some(name)) => Self::File(folder.canonicalize()?.join(name)),
                _ => Self::File(path.clone()),
            },
        })
    }

    /// Resolves the last part too, if it is a link.
    fn follow(self) -> io::Result<Self> {
        match self {
            Self::File(path) if path.is_symlink() => Ok(Self::File(path.canonicalize()?)),
            named => Ok(named),
        }
    }

    /// Returns whether the path has no part that leads up, so that it can be compared without the system.
    fn is_plain(&self) -> bool {
        match self {
            Self::File(path) => !path.components().any(|part| part == Component::ParentDir),
            Self::Abstract(_) => true,
        }
    }
}

impl UnixPath {
    /// Returns whether it grants a resolved path. The folders of the grant are resolved too.
    fn grants(&self, named: &Named) -> bool {
        match (&self.0, named) {
            (Granted::Abstract(granted), Named::Abstract(name)) => granted == name,
            (Granted::Socket(granted), Named::File(path)) => {
                let granted = Named::File(granted.clone()).resolve();
                granted.is_ok_and(|granted| granted == Named::File(path.clone()))
            }
            (Granted::Folder(granted), Named::File(path)) => granted
                .canonicalize()
                .is_ok_and(|folder| path.starts_with(folder)),
            _ => false,
        }
    }

    /// Returns whether it grants a path whose folder cannot be resolved. It compares them as they are written.
    fn grants_as_written(&self, named: &Named) -> bool {
        match (&self.0, named) {
            (Granted::Socket(granted), Named::File(path)) => granted == path,
            (Granted::Folder(granted), Named::File(path)) => path.starts_with(granted),
            _ => false,
        }
    }
}

/// Resolves a path, and checks it against the grants.
///
/// # Errors
/// [`PathError::Denied`] also for a path that does not exist, unless it is granted: programs learn nothing about other files.
pub(super) fn check(
    named: &Named,
    granted: &[UnixPath],
    wanted: UnixUse,
) -> Result<Named, PathError> {
    match named.resolve_for(wanted) {
        Ok(resolved) if granted.iter().any(|grant| grant.grants(&resolved)) => Ok(resolved),
        Ok(_) => Err(PathError::Denied),
        Err(error)
            if named.is_plain() && granted.iter().any(|grant| grant.grants_as_written(named)) =>
        {
            Err(match error.kind() {
                io::ErrorKind::PermissionDenied => PathError::Refused,
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    PathError::NotFound("there is no such folder, or a link leads nowhere")
                }
                _ => PathError::NotFound("its folder cannot be resolved"),
            })
        }
        Err(_) => Err(PathError::Denied),
    }
}

#[cfg(test)]
mod tests;
