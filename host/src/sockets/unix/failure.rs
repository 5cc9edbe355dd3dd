//! The errors of `unix-host`.

use std::io;

use rustix::io::Errno;
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::network::PathError;

/// `failure-code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub(super) enum FailureCode {
    #[component(name = "not-supported")]
    NotSupported,
    #[component(name = "invalid-path")]
    InvalidPath,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "no-such-file")]
    NoSuchFile,
    #[component(name = "address-in-use")]
    AddressInUse,
    #[component(name = "connection-refused")]
    ConnectionRefused,
    #[component(name = "out-of-resources")]
    OutOfResources,
    #[component(name = "invalid-state")]
    InvalidState,
    #[component(name = "other")]
    Other,
}

/// `failure`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Failure {
    pub(super) code: FailureCode,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Invalid(reason) => Self::new(FailureCode::InvalidPath, reason),
            PathError::NotSupported(reason) => Self::new(FailureCode::NotSupported, reason),
            PathError::Denied => Self::new(FailureCode::AccessDenied, "the host does not grant it"),
            PathError::NotFound(reason) => Self::new(FailureCode::NoSuchFile, reason),
            PathError::Refused => Self::new(
                FailureCode::AccessDenied,
                "the system does not let the host look into its folder",
            ),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let (code, message) = match error.kind() {
            Kind::InvalidInput => (
                FailureCode::InvalidPath,
                "it is longer than the system allows, some 100 bytes",
            ),
            Kind::PermissionDenied => (FailureCode::AccessDenied, "the system refuses it"),
            Kind::NotFound | Kind::NotADirectory => {
                (FailureCode::NoSuchFile, "there is no such file")
            }
            Kind::AddrInUse => (FailureCode::AddressInUse, "it is in use"),
            Kind::ConnectionRefused => (FailureCode::ConnectionRefused, "no server listens there"),
            Kind::OutOfMemory | Kind::StorageFull | Kind::QuotaExceeded => {
                (FailureCode::OutOfResources, "the system has no room")
            }
            // The standard library has no kinds for these.
            _ => match Errno::from_io_error(&error) {
                Some(Errno::MFILE) => (
                    FailureCode::OutOfResources,
                    "this process has as many open files as it may have",
                ),
                Some(Errno::NFILE) => (
                    FailureCode::OutOfResources,
                    "the system has as many open files as it may have",
                ),
                Some(Errno::NOBUFS) => (FailureCode::OutOfResources, "the system has no room"),
                _ => return Self::new(FailureCode::Other, error.to_string()),
            },
        };
        Self::new(code, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_resources_of_the_system_have_their_code() {
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOBUFS,
            Errno::NOMEM,
            Errno::NOSPC,
        ] {
            let failure = Failure::from(io::Error::from(errno));
            assert_eq!(failure.code, FailureCode::OutOfResources, "{errno:?}");
        }
        let other = Failure::from(io::Error::from(Errno::PROTOTYPE));
        assert_eq!(other.code, FailureCode::Other);
    }
}
