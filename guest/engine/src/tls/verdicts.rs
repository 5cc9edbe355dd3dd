//! Messages for rejected certificates: the cause, and the remedy if there is one.

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error as Cause, ExtendedKeyPurpose, OtherError, RootCertStore};

use crate::errors;

use super::pem::Fault;

/// The most names of a certificate that a message lists.
const NAMES: usize = 8;

/// Checks that `certificate` can be parsed as this side's own.
pub(super) fn of_own(certificate: &CertificateDer<'_>) -> Result<(), Fault> {
    ParsedCertificate::try_from(certificate)
        .map(drop)
        .map_err(|cause| unusable(&cause))
}

/// Checks that `certificate` can be parsed as an authority's. Accepts version 1.
pub(super) fn of_authority(certificate: &CertificateDer<'_>) -> Result<(), Fault> {
    add(&mut RootCertStore::empty(), certificate)
}

/// Adds an authority to `store`.
pub(super) fn add(
    store: &mut RootCertStore,
    certificate: &CertificateDer<'_>,
) -> Result<(), Fault> {
    let certificate = CertificateDer::from(certificate.as_ref());
    store.add(certificate).map_err(|cause| unusable(&cause))
}

fn unusable(cause: &Cause) -> Fault {
    match cause {
        Cause::InvalidCertificate(reason) => of(reason),
        _ => "cannot be used".into(),
    }
}

/// Returns the predicate for a rejected certificate.
pub(super) fn of(reason: &CertificateError) -> Fault {
    let fixed = match reason {
        CertificateError::BadEncoding => "is damaged, or is no X.509 certificate",
        CertificateError::Expired => "has expired",
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = span(*not_after, *time);
            return format!("has expired: by the clock of this side {ago} ago").into();
        }
        CertificateError::NotValidYet => "is not valid yet",
        CertificateError::NotValidYetContext { time, not_before } => {
            let time = span(*time, *not_before);
            return format!("is not valid yet: by the clock of this side it will be in {time}")
                .into();
        }
        CertificateError::Revoked => "was revoked by its authority",
        CertificateError::UnhandledCriticalExtension => UNKNOWN_EXTENSION,
        CertificateError::UnknownIssuer => {
            "is not signed by an authority that is trusted: add the certificate of its authority \
             to the roots, and have the certificates between the two sent along"
        }
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "may have been revoked: the list of its authority does not contain its status"
        }
        CertificateError::BadSignature => {
            "is not signed by the key of the authority that it names, or that key is of a kind that \
             is not supported"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => UNSUPPORTED,
        CertificateError::NotValidForName => "is for another name",
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => return names(expected, presented),
        CertificateError::InvalidPurpose => "is not made for this use (extendedKeyUsage)",
        CertificateError::InvalidPurposeContext { required, .. } => purpose(required),
        CertificateError::InvalidOcspResponse => "came with a proof of validity that is not valid",
        CertificateError::ApplicationVerificationFailure => "was refused by the program",
        CertificateError::Other(cause) => other(cause),
        #[expect(deprecated, reason = "matched for its own message")]
        CertificateError::UnsupportedSignatureAlgorithm => UNSUPPORTED,
        _ => UNKNOWN,
    };
    fixed.into()
}

const UNSUPPORTED: &str = "is signed in a way that is not supported: have it made with SHA-256 or \
     SHA-384, and a key of P-256, P-384, Ed25519, or RSA of 2,048 bits or more";
const UNKNOWN_EXTENSION: &str = "has a critical extension that is not known here";
const UNKNOWN: &str = "was refused for an unknown reason";

fn purpose(required: &ExtendedKeyPurpose) -> &'static str {
    match required {
        ExtendedKeyPurpose::ServerAuth => {
            "is not made for servers: make it with `extendedKeyUsage=serverAuth`"
        }
        ExtendedKeyPurpose::ClientAuth => {
            "is not made for clients: make it with `extendedKeyUsage=clientAuth`"
        }
        ExtendedKeyPurpose::Other(_) => "is not made for this use (extendedKeyUsage)",
    }
}

/// Returns the predicate for errors of webpki for which rustls has no variant.
fn other(cause: &OtherError) -> &'static str {
    use webpki::Error as Reason;
    match cause.0.downcast_ref::<Reason>() {
        Some(Reason::CaUsedAsEndEntity) => {
            "is an authority's, which cannot stand for a server or a client: make it with \
             `basicConstraints=CA:FALSE`"
        }
        Some(Reason::EndEntityUsedAsCa) => {
            "is signed by a certificate that is no authority's: make that one with \
             `basicConstraints=critical,CA:TRUE`"
        }
        Some(Reason::UnsupportedCertVersion) => {
            "is of an old version of X.509: make one of version 3, as with `openssl req -x509 \
             -addext subjectAltName=DNS:NAME`"
        }
        Some(Reason::NameConstraintViolation) => {
            "has a name that its authority may not vouch for (nameConstraints)"
        }
        Some(Reason::PathLenConstraintViolated) => {
            "has more authorities above it than one of them allows (pathlen)"
        }
        Some(Reason::CertDistrusted) => "has a key that is distrusted",
        Some(Reason::EmptyEkuExtension) => {
            "is made for no use at all: its extendedKeyUsage is empty"
        }
        Some(Reason::UnsupportedCriticalExtension) => UNKNOWN_EXTENSION,
        Some(Reason::InvalidSerialNumber) => {
            "has an invalid serial number: it must be positive and have at most 20 bytes"
        }
        Some(
            Reason::MalformedExtensions
            | Reason::ExtensionValueInvalid
            | Reason::MalformedDnsIdentifier
            | Reason::MalformedNameConstraint
            | Reason::InvalidNetworkMaskConstraint,
        ) => "has an extension that is damaged, such as an invalid name (subjectAltName)",
        Some(Reason::SignatureAlgorithmMismatch) => "names two signature algorithms: it is damaged",
        Some(
            Reason::MaximumPathDepthExceeded
            | Reason::MaximumPathBuildCallsExceeded
            | Reason::MaximumSignatureChecksExceeded
            | Reason::MaximumNameConstraintComparisonsExceeded,
        ) => "has too many authorities above it, or too many ways to them",
        Some(Reason::UnsupportedNameType) => "has no names of the kind that is to be verified",
        _ => UNKNOWN,
    }
}

fn names(expected: &ServerName<'_>, presented: &[String]) -> Fault {
    let mut names = presented.iter().filter_map(|name| plain(name)).peekable();
    let expected = errors::quoted(&expected.to_str());
    if names.peek().is_none() {
        return format!(
            "has no names and so is not for {expected}: make it with `subjectAltName`, the common \
             name does not count"
        )
        .into();
    }
    let shown: Vec<String> = names.by_ref().take(NAMES).map(errors::quoted).collect();
    let shown = shown.join(", ");
    match names.count() {
        0 => format!("is for {shown}, not for {expected}").into(),
        more => format!("is for {shown} and {more} more, not for {expected}").into(),
    }
}

/// Extracts a name from webpki's text, such as `DnsName("a.test")`.
fn plain(name: &str) -> Option<&str> {
    let of = |before: &str, after: &str| name.strip_prefix(before)?.strip_suffix(after);
    of("DnsName(\"", "\")").or_else(|| of("IpAddress(", ")"))
}

/// Formats the time between two points.
fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let (number, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn messages_contain_the_remedy() {
        let other = |reason| CertificateError::Other(OtherError(Arc::new(reason)));
        for (reason, expected) in [
            (CertificateError::BadEncoding, "no X.509 certificate"),
            (CertificateError::UnknownIssuer, "add the certificate"),
            (
                other(webpki::Error::CaUsedAsEndEntity),
                "basicConstraints=CA:FALSE",
            ),
            (
                other(webpki::Error::EndEntityUsedAsCa),
                "basicConstraints=critical,CA:TRUE",
            ),
            (other(webpki::Error::UnsupportedCertVersion), "version 3"),
            (
                CertificateError::InvalidPurposeContext {
                    required: ExtendedKeyPurpose::ServerAuth,
                    presented: vec![],
                },
                "serverAuth",
            ),
        ] {
            let said = of(&reason);
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn times_have_readable_units() {
        for (seconds, expected) in [
            (0, "0 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
            (u64::MAX, "213503982334601 days"),
        ] {
            let said = of(&CertificateError::ExpiredContext {
                time: at(seconds),
                not_after: at(0),
            });
            assert_eq!(
                said,
                format!("has expired: by the clock of this side {expected} ago")
            );
        }
    }

    #[test]
    fn names_are_listed_but_not_all() {
        let of = |presented: Vec<String>| {
            let expected = ServerName::try_from("a.test").expect("a name");
            of(&CertificateError::NotValidForNameContext {
                expected,
                presented,
            })
        };
        assert!(of(vec![]).contains("subjectAltName"));
        assert!(of(vec!["Unsupported(0x01)".into()]).contains("subjectAltName"));
        let two = vec![
            "DnsName(\"b\n.test\")".into(),
            "IpAddress(127.0.0.1)".into(),
        ];
        assert_eq!(
            of(two),
            r#"is for "b\n.test", "127.0.0.1", not for "a.test""#
        );
        let many = (0..100).map(|n| format!("DnsName(\"{n}.test\")")).collect();
        let said = of(many);
        assert!(said.contains("\"7.test\" and 92 more"), "{said}");
    }
}
