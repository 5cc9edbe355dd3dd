//! Loads private keys, and reports why a key cannot be used.
//!
//! Messages contain the kind of a key, and nothing else of it.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;

use super::der::{Elements, bits};
use super::pem::{self, Content, Entry, Fault};
use super::verdicts;

/// The labels of unencrypted keys: PKCS #8, PKCS #1 and SEC 1.
const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

const SUPPORTED: &str =
    "is not supported: take P-256, P-384, Ed25519, or RSA of 2,048, 3,072 or 4,096 bits";
const ENCRYPTED: &str =
    "is encrypted: decrypt it first, as with `openssl pkey -in FILE -out DECRYPTED`";

/// Reads a private key: the first one if there are several.
///
/// # Errors
/// The fault of the argument.
pub(super) fn read(bytes: &[u8], provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, Fault> {
    let (key, place) = match pem::read(bytes)? {
        Content::Pem(entries) => from_pem(&entries)?,
        Content::Der(der) => {
            let key = PrivateKeyDer::try_from(der).map_err(|_| no_key(der))?;
            (key.clone_key(), "it".into())
        }
    };
    let kind = kind(&key);
    let loaded = provider.key_provider.load_private_key(key);
    loaded.map_err(|_| format!("{place} {}", why_not(kind)).into())
}

/// Returns whether `der` is a private key.
pub(super) fn is_key(der: &[u8]) -> bool {
    PrivateKeyDer::try_from(der).is_ok()
}

/// Returns whether an entry with this label is a private key.
pub(super) fn is_label(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

/// Returns the first key and its place.
fn from_pem(entries: &[Entry<'_>]) -> Result<(PrivateKeyDer<'static>, String), Fault> {
    let Some(entry) = entries.iter().find(|entry| LABELS.contains(&entry.label)) else {
        return Err(no_entry(entries));
    };
    let place = entry.place();
    if entry.text.windows(10).any(|window| window == b"Proc-Type:") {
        return Err(format!("{place} {ENCRYPTED}").into());
    }
    match PrivateKeyDer::from_pem_slice(entry.text) {
        Ok(key) => Ok((key, place)),
        Err(_) => Err(format!("{place} {NO_BASE64}").into()),
    }
}

pub(super) const NO_BASE64: &str = "is damaged: the text between its lines is not base64";

/// Returns the fault of a PEM text without a usable key.
fn no_entry(entries: &[Entry<'_>]) -> Fault {
    let key = entries.iter().find(|entry| is_label(entry.label));
    let Some(entry) = key.or(entries.first()) else {
        return "has no entry".into();
    };
    let place = entry.place();
    match entry.label {
        "ENCRYPTED PRIVATE KEY" => format!("{place} {ENCRYPTED}"),
        "OPENSSH PRIVATE KEY" => format!(
            "{place} is in the format of OpenSSH: convert it, as with \
             `ssh-keygen -p -N '' -m PKCS8 -f FILE`"
        ),
        "CERTIFICATE" => format!("{place} {CERTIFICATE}"),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => {
            format!("{place} is the public key: give the private one")
        }
        label if is_label(label) => format!("{place} {SUPPORTED}"),
        _ => format!(
            "has no entry PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY: there is only {place}"
        ),
    }
    .into()
}

const CERTIFICATE: &str =
    "is a certificate, not a private key: certificate chain and key may be exchanged";

/// Returns the fault of an object in DER that is not a private key.
fn no_key(der: &[u8]) -> Fault {
    if is_pkcs12(der) {
        return PKCS12.into();
    }
    if verdicts::of_authority(&CertificateDer::from(der)).is_ok() {
        return CERTIFICATE.into();
    }
    if encrypted(der).is_some() {
        return ENCRYPTED.into();
    }
    "is neither PEM nor a private key in DER (PKCS #8, PKCS #1 or SEC 1)".into()
}

pub(super) const PKCS12: &str = "is a PKCS #12 file: convert it to PEM, as with \
     `openssl pkcs12 -in FILE -nodes -out PEM`";

/// Returns whether `der` begins like a PKCS #12 file (RFC 7292, 4).
pub(super) fn is_pkcs12(der: &[u8]) -> bool {
    Elements::of(der).and_then(|mut file| file.integer()) == Some(&[3])
}

/// Returns `Some` if `der` is an encrypted key (RFC 5958, 3).
fn encrypted(der: &[u8]) -> Option<()> {
    let mut info = Elements::of(der)?;
    info.sequence()?.oid()?;
    info.octets().map(drop)
}

/// Returns the fault of a key of this kind that rustls refuses.
fn why_not(kind: Option<Kind>) -> Fault {
    match kind {
        None => "is damaged: it begins like a private key, but is none".into(),
        Some(Kind::Other(kind)) => format!("is {kind}, which {SUPPORTED}").into(),
        Some(Kind::Rsa { bits, .. }) if !matches!(bits, 2048 | 3072 | 4096) => {
            format!("is an RSA key of {bits} bits, which {SUPPORTED}").into()
        }
        Some(Kind::Rsa { small: true, .. }) => {
            "is an RSA key with a public exponent less than 65,537, which is not supported".into()
        }
        Some(Kind::Rsa { .. }) => "is an RSA key that is damaged: its numbers do not fit".into(),
        Some(Kind::Named(curve)) => format!(
            "is a {curve} key that is damaged or lacks its public half; \
             `openssl pkey -in FILE -out COMPLETE` adds that"
        )
        .into(),
    }
}

/// The kind of a key.
enum Kind {
    Rsa {
        bits: usize,
        small: bool,
    },
    /// A supported kind.
    Named(&'static str),
    /// An unsupported kind.
    Other(&'static str),
}

/// Returns the kind that `key` declares.
fn kind(key: &PrivateKeyDer<'_>) -> Option<Kind> {
    match key {
        PrivateKeyDer::Pkcs1(key) => rsa(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => sec1(key.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(key) => pkcs8(key.secret_pkcs8_der()),
        _ => None,
    }
}

fn rsa(der: &[u8]) -> Option<Kind> {
    let mut key = Elements::of(der)?;
    let (_version, modulus, exponent) = (key.integer()?, key.integer()?, key.integer()?);
    Some(Kind::Rsa {
        bits: bits(modulus),
        small: bits(exponent) < 17,
    })
}

fn sec1(der: &[u8]) -> Option<Kind> {
    let mut key = Elements::of(der)?;
    key.integer()?;
    key.octets()?;
    Some(curve(
        key.tagged(0).and_then(|mut parameters| parameters.oid()),
    ))
}

fn pkcs8(der: &[u8]) -> Option<Kind> {
    let mut info = Elements::of(der)?;
    info.integer()?;
    let mut algorithm = info.sequence()?;
    let kind = match algorithm.oid()? {
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" => return rsa(info.octets()?),
        b"\x2a\x86\x48\xce\x3d\x02\x01" => return Some(curve(algorithm.oid())),
        b"\x2b\x65\x70" => return Some(Kind::Named("Ed25519")),
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" => "an RSA-PSS key",
        b"\x2b\x65\x71" => "an Ed448 key",
        b"\x2b\x65\x6e" => "an X25519 key, which cannot sign and",
        b"\x2b\x65\x6f" => "an X448 key, which cannot sign and",
        b"\x2a\x86\x48\xce\x38\x04\x01" => "a DSA key",
        b"\x60\x86\x48\x01\x65\x03\x04\x03\x11"
        | b"\x60\x86\x48\x01\x65\x03\x04\x03\x12"
        | b"\x60\x86\x48\x01\x65\x03\x04\x03\x13" => "an ML-DSA key",
        _ => "a key of an unknown kind",
    };
    Some(Kind::Other(kind))
}

fn curve(oid: Option<&[u8]>) -> Kind {
    match oid {
        Some(b"\x2a\x86\x48\xce\x3d\x03\x01\x07") => Kind::Named("P-256"),
        Some(b"\x2b\x81\x04\x00\x22") => Kind::Named("P-384"),
        Some(b"\x2b\x81\x04\x00\x23") => Kind::Other("a P-521 key"),
        Some(b"\x2b\x81\x04\x00\x21") => Kind::Other("a P-224 key"),
        Some(b"\x2b\x81\x04\x00\x0a") => Kind::Other("a secp256k1 key"),
        Some(_) => Kind::Other("a key of another elliptic curve"),
        None => Kind::Other("a key of an elliptic curve that has no name"),
    }
}
