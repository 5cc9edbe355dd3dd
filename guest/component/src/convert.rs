//! Between the engine's types and the interface's.

use crate::tls::{TlsInfo, TlsVersion};
use crate::types::{
    Address, AddressFamily, CertificateFailure, ConnectAttempt, Error, Incomplete, InetAddress,
    NetworkCode, NetworkError, Overrun, TlsError, TlsFailure,
};

asyncio_streams_face::conversions!();
