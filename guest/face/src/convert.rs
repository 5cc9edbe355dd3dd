/// Conversions between the engine's types and the interface's, which have the same cases and fields. Needs the types of the
/// interface.
#[macro_export]
macro_rules! conversions {
    () => {
        use $crate::engine::types as engine;

        $crate::cases!(engine::NetworkCode => NetworkCode {
            AccessDenied, AddressInUse, AddressNotAvailable, ConnectionRefused, ConnectionReset, ConnectionAborted, BrokenPipe,
            Unreachable, TimedOut, NameNotFound, NameLookupFailed, OutOfResources, InvalidState, NoSuchFile, Other,
        });

        $crate::cases!(engine::CertificateFailure => CertificateFailure {
            Expired, NotYetValid, NameMismatch, UnknownIssuer, WrongUsage, Revoked, Required, Other,
        });

        impl From<AddressFamily> for engine::AddressFamily {
            fn from(family: AddressFamily) -> Self {
                match family {
                    AddressFamily::Any => engine::AddressFamily::Any,
                    AddressFamily::Ipv4 => engine::AddressFamily::Ipv4,
                    AddressFamily::Ipv6 => engine::AddressFamily::Ipv6,
                }
            }
        }

        impl From<engine::Address> for Address {
            fn from(address: engine::Address) -> Self {
                match address {
                    engine::Address::Inet(inet) => Address::Inet(InetAddress {
                        host: inet.host,
                        port: inet.port,
                        scope_id: inet.scope_id,
                        flow_info: inet.flow_info,
                    }),
                    engine::Address::Unix(path) => Address::Unix(path),
                }
            }
        }

        impl From<engine::NetworkError> for NetworkError {
            fn from(error: engine::NetworkError) -> Self {
                NetworkError {
                    code: error.code.into(),
                    message: error.message,
                }
            }
        }

        impl From<engine::TlsError> for TlsError {
            fn from(error: engine::TlsError) -> Self {
                TlsError {
                    failure: match error.failure {
                        engine::TlsFailure::Certificate(failure) => TlsFailure::Certificate(failure.into()),
                        engine::TlsFailure::Handshake => TlsFailure::Handshake,
                        engine::TlsFailure::Truncated => TlsFailure::Truncated,
                        engine::TlsFailure::Protocol => TlsFailure::Protocol,
                        engine::TlsFailure::PlaintextPending => TlsFailure::PlaintextPending,
                    },
                    message: error.message,
                }
            }
        }

        impl From<engine::Error> for Error {
            // One copy: inlined into each of the many calls, it would make up a tenth of the component.
            #[inline(never)]
            fn from(error: engine::Error) -> Self {
                match error {
                    engine::Error::InvalidArgument(message) => Error::InvalidArgument(message),
                    engine::Error::NotSupported(message) => Error::NotSupported(message),
                    engine::Error::Busy => Error::Busy,
                    engine::Error::WriteAfterEof => Error::WriteAfterEof,
                    engine::Error::TooLarge(size) => Error::TooLarge(size),
                    engine::Error::BufferFull => Error::BufferFull,
                    engine::Error::Cancelled => Error::Cancelled,
                    engine::Error::DeadlineExceeded => Error::DeadlineExceeded,
                    engine::Error::IncompleteRead { partial, expected } => {
                        Error::IncompleteRead(Incomplete { partial, expected })
                    }
                    engine::Error::LimitOverrun { found, consumed } => {
                        Error::LimitOverrun(Overrun { found, consumed })
                    }
                    engine::Error::Closed => Error::Closed,
                    engine::Error::Network(error) => Error::Network(error.into()),
                    engine::Error::Connect(attempts) => {
                        let attempts = attempts.into_iter().map(|attempt| ConnectAttempt {
                            address: attempt.address.into(),
                            error: attempt.error.into(),
                        });
                        Error::Connect(attempts.collect())
                    }
                    engine::Error::Tls(error) => Error::Tls(error.into()),
                }
            }
        }

        impl From<$crate::engine::errors::Invalid> for Error {
            // Inlined, so that the compiler knows the case of the error here and leaves out the code that lowers the others.
            #[inline(always)]
            fn from(reason: $crate::engine::errors::Invalid) -> Self {
                Error::InvalidArgument(reason.0)
            }
        }

        impl From<engine::TlsInfo> for TlsInfo {
            fn from(info: engine::TlsInfo) -> Self {
                TlsInfo {
                    version: match info.version {
                        engine::TlsVersion::Tls12 => TlsVersion::Tls12,
                        engine::TlsVersion::Tls13 => TlsVersion::Tls13,
                    },
                    suite: info.suite,
                    alpn: info.alpn,
                    server_name: info.server_name,
                    peer_certificates: info.peer_certificates,
                    resumed: info.resumed,
                }
            }
        }
    };
}

/// Converts an enum case by case.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($from:path => $to:ident { $($case:ident),* $(,)? }) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                use $from as From;
                match value {
                    $(From::$case => $to::$case,)*
                }
            }
        }
    };
}
