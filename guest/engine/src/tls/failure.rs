//! Converts errors of rustls into the `error` of the interface.

use rustls::{AlertDescription, CertificateError, Error as Cause};

use crate::types::{CertificateFailure, Error, TlsError, TlsFailure};

use super::sentences;

/// Converts an error, as exactly as rustls and the peer's alert allow.
pub(super) fn error(cause: &Cause) -> Error {
    let failure = match cause {
        Cause::InvalidCertificate(reason) => TlsFailure::Certificate(certificate(reason)),
        Cause::NoCertificatesPresented => TlsFailure::Certificate(CertificateFailure::Required),
        Cause::AlertReceived(alert) => alerted(*alert),
        Cause::PeerIncompatible(_) | Cause::NoApplicationProtocol => TlsFailure::Handshake,
        _ => TlsFailure::Protocol,
    };
    tls(failure, sentences::of(cause).into_owned())
}

/// Returns the error for a peer that ended the connection during the handshake.
pub(super) fn cut_short() -> Error {
    tls(
        TlsFailure::Handshake,
        "the peer ended the connection during the handshake".into(),
    )
}

/// Returns the error for input that ended without `close_notify`.
pub(super) fn truncated() -> Error {
    tls(
        TlsFailure::Truncated,
        "the connection ended without close_notify: data may be missing".into(),
    )
}

pub(super) fn tls(failure: TlsFailure, message: String) -> Error {
    Error::Tls(TlsError { failure, message })
}

fn certificate(reason: &CertificateError) -> CertificateFailure {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateFailure::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFailure::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFailure::NameMismatch
        }
        // `BadSignature`: an authority of the same name signed it with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            CertificateFailure::UnknownIssuer
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFailure::WrongUsage
        }
        CertificateError::Revoked => CertificateFailure::Revoked,
        _ => CertificateFailure::Other,
    }
}

/// Returns the failure for an alert from the peer.
fn alerted(alert: AlertDescription) -> TlsFailure {
    let certificate = match alert {
        AlertDescription::CertificateExpired => CertificateFailure::Expired,
        AlertDescription::UnknownCA => CertificateFailure::UnknownIssuer,
        AlertDescription::CertificateRevoked => CertificateFailure::Revoked,
        AlertDescription::UnsupportedCertificate => CertificateFailure::WrongUsage,
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            CertificateFailure::Required
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied
        | AlertDescription::CertificateUnobtainable
        | AlertDescription::BadCertificateStatusResponse => CertificateFailure::Other,
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity
        | AlertDescription::InappropriateFallback
        | AlertDescription::UserCanceled
        | AlertDescription::MissingExtension
        | AlertDescription::UnsupportedExtension
        | AlertDescription::UnrecognisedName
        | AlertDescription::UnknownPSKIdentity
        | AlertDescription::NoApplicationProtocol => return TlsFailure::Handshake,
        _ => return TlsFailure::Protocol,
    };
    TlsFailure::Certificate(certificate)
}
