//! Messages for the alerts with which a peer ends a connection (RFC 8446, 6).

use rustls::AlertDescription;

/// Returns the message for an alert from the peer.
pub(super) fn received(alert: AlertDescription) -> String {
    let number = u8::from(alert);
    let (name, meaning) = described(number);
    format!("the peer refused with the alert {number} ({name}): {meaning}")
}

/// Returns the registered name of an alert, and its meaning for this side.
fn described(number: u8) -> (&'static str, &'static str) {
    match number {
        10 => (
            "unexpected_message",
            "it got a message that it did not expect",
        ),
        20 => (
            "bad_record_mac",
            "it got a record that was damaged on its way",
        ),
        21 => ("decryption_failed", "it could not decrypt a record"),
        22 => ("record_overflow", "it got a record that is too large"),
        40 => (
            "handshake_failure",
            "there is no version, cipher suite, group or signature scheme that both sides have, or it \
             wants a certificate",
        ),
        41 => ("no_certificate", "it wants a certificate of this side"),
        42 => (
            "bad_certificate",
            "it did not accept the certificate of this side",
        ),
        43 => (
            "unsupported_certificate",
            "the certificate of this side is not made for this use, or not of a kind that it knows",
        ),
        44 => (
            "certificate_revoked",
            "the certificate of this side was revoked",
        ),
        45 => (
            "certificate_expired",
            "by its clock the certificate of this side has expired or is not valid yet",
        ),
        46 => (
            "certificate_unknown",
            "it did not accept the certificate of this side; its own log may say why",
        ),
        47 => ("illegal_parameter", "it got a value that does not fit"),
        48 => (
            "unknown_ca",
            "it does not trust the authority of this side's certificate, or misses certificates \
             between the two",
        ),
        49 => ("access_denied", "it denies this side access"),
        50 => ("decode_error", "it could not read a message"),
        51 => (
            "decrypt_error",
            "it could not verify a signature or the end of the handshake",
        ),
        60 => ("export_restriction", "it asked for keys that are too short"),
        70 => (
            "protocol_version",
            "it does not speak the versions that this side offers",
        ),
        71 => ("insufficient_security", "it wants stronger cipher suites"),
        80 => ("internal_error", "something failed on its side"),
        86 => (
            "inappropriate_fallback",
            "it supports a newer version than this side offered",
        ),
        90 => ("user_canceled", "it cancelled the handshake"),
        100 => ("no_renegotiation", "it does not support a second handshake"),
        109 => ("missing_extension", "it misses an extension"),
        110 => (
            "unsupported_extension",
            "it got an extension that it had not asked for",
        ),
        111 => (
            "certificate_unobtainable",
            "it could not get the certificate of this side",
        ),
        112 => (
            "unrecognized_name",
            "it does not serve the name that this side asked for",
        ),
        113 => (
            "bad_certificate_status_response",
            "it did not accept the proof that the certificate of this side is valid",
        ),
        114 => (
            "bad_certificate_hash_value",
            "the certificate of this side is not the one that was announced",
        ),
        115 => (
            "unknown_psk_identity",
            "it does not know the earlier session",
        ),
        116 => (
            "certificate_required",
            "it wants a certificate of this side",
        ),
        120 => (
            "no_application_protocol",
            "it speaks none of the protocols that this side offers (ALPN)",
        ),
        121 => ("ech_required", "it wants an encrypted hello"),
        _ => ("unknown", "this side does not know this alert"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_number_name_and_meaning() {
        assert_eq!(
            received(AlertDescription::UnrecognisedName),
            "the peer refused with the alert 112 (unrecognized_name): \
             it does not serve the name that this side asked for"
        );
        assert!(received(AlertDescription::Unknown(200)).contains("200 (unknown)"));
    }
}
