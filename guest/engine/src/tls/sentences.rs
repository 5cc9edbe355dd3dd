//! Messages for errors of rustls, whose own texts contain names of Rust enums.

use std::borrow::Cow;

use rustls::{Error as Cause, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use super::{alerts, verdicts};

/// Returns the message for a failed handshake or a failed connection.
pub(super) fn of(cause: &Cause) -> Cow<'static, str> {
    let fixed = match cause {
        Cause::InvalidCertificate(reason) => {
            return format!("the peer's certificate {}", verdicts::of(reason)).into();
        }
        Cause::AlertReceived(alert) => return alerts::received(*alert).into(),
        Cause::InappropriateMessage { got_type, .. } => {
            let number = u8::from(*got_type);
            return format!("the peer sent a record of type {number} where another was expected")
                .into();
        }
        Cause::InappropriateHandshakeMessage { got_type, .. } => {
            let number = u8::from(*got_type);
            return format!(
                "the peer sent a handshake message of type {number} where another was expected"
            )
            .into();
        }
        Cause::InvalidMessage(reason) => message(reason),
        Cause::PeerIncompatible(reason) => incompatible(reason),
        Cause::PeerMisbehaved(reason) => misbehaved(reason),
        Cause::NoCertificatesPresented => "the peer sent no certificate, and one is required of it",
        Cause::UnsupportedNameType => {
            "certificates have no names of the kind that is to be verified"
        }
        Cause::DecryptError => "a record was damaged on its way, or is not the peer's",
        Cause::EncryptError => "a record could not be encrypted",
        Cause::PeerSentOversizedRecord => "the peer sent a record that is larger than allowed",
        Cause::NoApplicationProtocol => {
            "the peer speaks none of the protocols of this side (ALPN): compare set-alpn with the \
             protocols that it offers"
        }
        Cause::FailedToGetCurrentTime => "the host returned no time",
        Cause::FailedToGetRandomBytes => "the host returned no random bytes",
        Cause::InvalidCertRevocationList(_)
        | Cause::InvalidEncryptedClientHello(_)
        | Cause::HandshakeNotComplete
        | Cause::BadMaxFragmentSize
        | Cause::InconsistentKeys(_)
        | Cause::General(_)
        | Cause::Other(_) => "TLS failed inside this side",
        _ => "TLS failed for an unknown reason",
    };
    fixed.into()
}

fn message(reason: &InvalidMessage) -> &'static str {
    match reason {
        // Peers without TLS usually fail these checks of the record header.
        InvalidMessage::InvalidContentType
        | InvalidMessage::UnknownProtocolVersion
        | InvalidMessage::InvalidEmptyPayload => {
            "the peer sent bytes that are not TLS: it may not speak TLS on this port"
        }
        InvalidMessage::MessageTooLarge
        | InvalidMessage::HandshakePayloadTooLarge
        | InvalidMessage::CertificatePayloadTooLarge => {
            "the peer sent a message that is larger than allowed"
        }
        InvalidMessage::InvalidServerName => "the peer sent an invalid server name",
        InvalidMessage::NoSignatureSchemes | InvalidMessage::MissingKeyExchange => {
            "the peer offers no signature scheme or no key exchange"
        }
        _ => "the peer sent a message that cannot be read",
    }
}

fn incompatible(reason: &PeerIncompatible) -> &'static str {
    match reason {
        PeerIncompatible::NoCipherSuitesInCommon => {
            "the peer has no cipher suite that this side has: these are AES-GCM and \
             ChaCha20-Poly1305, in TLS 1.2 with ECDHE and the kind of the certificate's key"
        }
        PeerIncompatible::NoKxGroupsInCommon | PeerIncompatible::NamedGroupsExtensionRequired => {
            "the peer has no key exchange that this side has: these are X25519, P-256 and P-384"
        }
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            "the peer cannot verify signatures by the key of this side's certificate: give it a \
             certificate with a key of another kind"
        }
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "the peer asks for a certificate, but for signatures that this side cannot make"
        }
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::Tls13RequiredForQuic => {
            "the peer speaks no version of TLS that this side speaks: these are 1.2 and 1.3, unless \
             set-versions leaves one out"
        }
        PeerIncompatible::EcPointsExtensionRequired
        | PeerIncompatible::ExtendedMasterSecretExtensionRequired
        | PeerIncompatible::KeyShareExtensionRequired
        | PeerIncompatible::NoEcPointFormatsInCommon
        | PeerIncompatible::NullCompressionRequired
        | PeerIncompatible::UncompressedEcPointsRequired => {
            "the peer does not support a part of TLS that this side requires"
        }
        PeerIncompatible::IncorrectCertificateTypeExtension
        | PeerIncompatible::UnsolicitedCertificateTypeExtension => {
            "the peer wants raw public keys instead of certificates"
        }
        _ => "the peer and this side could not agree",
    }
}

/// Grouped by topic: the exact rule matters only to the authors of the peer.
fn misbehaved(reason: &PeerMisbehaved) -> &'static str {
    use PeerMisbehaved as Rule;
    match reason {
        Rule::AttemptedDowngradeToTls12WhenTls13IsSupported => {
            "the server chose TLS 1.2 although both sides speak 1.3: something between the two may \
             have changed the handshake"
        }
        Rule::TooManyEmptyFragments
        | Rule::TooManyKeyUpdateRequests
        | Rule::TooManyRenegotiationRequests
        | Rule::TooManyWarningAlertsReceived
        | Rule::TooMuchEarlyDataReceived => "the peer sent too many messages of one kind",
        Rule::SelectedDifferentCipherSuiteAfterRetry
        | Rule::SelectedInvalidPsk
        | Rule::SelectedTls12UsingTls13VersionExtension
        | Rule::SelectedUnofferedApplicationProtocol
        | Rule::SelectedUnofferedCertCompression
        | Rule::SelectedUnofferedCipherSuite
        | Rule::SelectedUnofferedCompression
        | Rule::SelectedUnofferedKxGroup
        | Rule::SelectedUnofferedPsk
        | Rule::SelectedUnusableCipherSuiteForVersion
        | Rule::WrongGroupForKeyShare => "the peer chose something that this side had not offered",
        Rule::SignedKxWithWrongAlgorithm | Rule::SignedHandshakeWithUnadvertisedSigScheme => {
            "the peer signed in a way that this side had not offered"
        }
        Rule::IncorrectBinder
        | Rule::ResumptionAttemptedWithVariedEms
        | Rule::ResumptionOfferedWithVariedCipherSuite
        | Rule::ResumptionOfferedWithVariedEms
        | Rule::ResumptionOfferedWithIncompatibleCipherSuite => {
            "the peer resumed an earlier session with different values"
        }
        Rule::KeyEpochWithPendingFragment
        | Rule::MessageInterleavedWithHandshakeMessage
        | Rule::RejectedEarlyDataInterleavedWithHandshakeMessage => {
            "the peer sent other messages within one of the handshake"
        }
        Rule::InvalidKeyShare | Rule::MissingKeyShare | Rule::OfferedDuplicateKeyShares => {
            "the peer sent an invalid key for the key exchange"
        }
        _ => "the peer broke the rules of TLS",
    }
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, CertificateError, ContentType, HandshakeType, OtherError};
    use std::sync::Arc;

    use super::*;

    /// Checks that a message contains no name of a Rust type or variant.
    fn is_english(cause: &Cause) {
        let said = of(cause);
        let name = |word: &str| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            let known = ["ChaCha20", "OpenSSL"];
            let humps = word
                .chars()
                .skip(1)
                .filter(char::is_ascii_uppercase)
                .count();
            let small = word.chars().any(|c| c.is_ascii_lowercase());
            !known.iter().any(|known| word.starts_with(known)) && humps > 0 && small
        };
        let names: Vec<&str> = said
            .split(' ')
            .filter(|word| !word.contains('=') && name(word))
            // X.509 spells its extensions like this.
            .filter(|word| !word.contains("extendedKeyUsage") && !word.contains("subjectAltName"))
            .collect();
        assert!(names.is_empty(), "{said}: {names:?}");
        assert!(!said.contains(['{', '}', '[']), "{said}");
    }

    #[test]
    fn every_failure_has_a_message() {
        let other = |reason| {
            Cause::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
        };
        for cause in [
            Cause::InappropriateMessage {
                expect_types: vec![ContentType::Handshake],
                got_type: ContentType::ApplicationData,
            },
            Cause::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::ClientHello],
                got_type: HandshakeType::Finished,
            },
            Cause::InvalidMessage(InvalidMessage::InvalidContentType),
            Cause::InvalidMessage(InvalidMessage::MissingData("ServerNamePayload")),
            Cause::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Cause::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon),
            Cause::PeerIncompatible(PeerIncompatible::Tls12NotOffered),
            Cause::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite),
            Cause::PeerMisbehaved(PeerMisbehaved::MissingQuicTransportParameters),
            Cause::AlertReceived(AlertDescription::HandshakeFailure),
            Cause::InvalidCertificate(CertificateError::BadEncoding),
            Cause::InvalidCertificate(CertificateError::BadSignature),
            other(webpki::Error::CaUsedAsEndEntity),
            other(webpki::Error::MaximumPathDepthExceeded),
            Cause::General("SomeInternalName".into()),
            Cause::NoCertificatesPresented,
            Cause::NoApplicationProtocol,
            Cause::DecryptError,
        ] {
            is_english(&cause);
        }
    }
}
