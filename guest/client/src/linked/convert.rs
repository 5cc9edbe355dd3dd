//! The engine's types, and the interface's, which are this crate's.

use asyncio_streams_engine::errors::InvalidArgument;

use crate::{
    Address, AddressFamily, CertificateFailure, ConnectAttempt, Error, Incomplete, InetAddress,
    NetworkCode, NetworkError, Overrun, TlsError, TlsFailure, TlsInfo, TlsVersion,
};

asyncio_streams_face::conversions!();

impl From<InvalidArgument> for Error {
    fn from(reason: InvalidArgument) -> Self {
        Error::InvalidArgument(reason.0.into())
    }
}
