//! Parses the certificates that a program passes.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error as Cause, InconsistentKeys, RootCertStore};
use zeroize::Zeroizing;

use crate::types::Error;

use super::pem::{self, Content, Entry, Fault};
use super::{key, suites, verdicts};

/// The most bytes of roots in one configuration.
const MOST: usize = 4 * 1024 * 1024;

/// The names of arguments in messages.
const CHAIN: &str = "certificate chain";
const KEY: &str = "key";

/// The roots that a program has added.
#[derive(Clone)]
pub(super) struct Roots {
    store: RootCertStore,
    bytes: usize,
}

impl Default for Roots {
    fn default() -> Self {
        Roots {
            store: RootCertStore::empty(),
            bytes: 0,
        }
    }
}

impl Roots {
    /// Adds all of the certificates or none, and returns their number. Messages name the argument `what`.
    pub(super) fn add(&mut self, certificates: &[u8], what: &str) -> Result<u32, Error> {
        let bytes = self.bytes.saturating_add(certificates.len());
        if bytes > MOST {
            return Err(invalid(what, "more than 4 MiB in all"));
        }
        let mut store = self.store.clone();
        let mut added: u32 = 0;
        for certificate in read(certificates).map_err(|fault| invalid(what, &fault))? {
            verdicts::add(&mut store, &certificate.der)
                .map_err(|fault| invalid(what, &certificate.at(&fault)))?;
            added = added.saturating_add(1);
        }
        *self = Roots { store, bytes };
        Ok(added)
    }

    /// Returns these roots, with the built-in ones if `built_in`.
    pub(super) fn with_built_in(&self, built_in: bool) -> RootCertStore {
        let mut store = self.store.clone();
        if built_in {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store
    }
}

/// Parses a certificate chain and its key.
pub(super) fn identity(certificates: &[u8], key: Vec<u8>) -> Result<Arc<CertifiedKey>, Error> {
    // Wipe the key in any case. Copies inside the library are out of reach.
    let key = Zeroizing::new(key);
    let chain = chain(certificates).map_err(|fault| invalid(CHAIN, &fault))?;
    let key = key::read(&key, &suites::provider()).map_err(|fault| invalid(KEY, &fault))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(Cause::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(invalid(KEY, &stranger(&certified.cert, &certified.key)))
        }
        // `chain` has parsed the certificate, and every supported key has a public half.
        _ => Ok(Arc::new(certified)),
    }
}

/// Returns the fault of a key that does not belong to the first certificate.
fn stranger(chain: &[CertificateDer<'static>], key: &Arc<dyn SigningKey>) -> Fault {
    let is_of = |certificate: &CertificateDer<'static>| {
        CertifiedKey::new(vec![certificate.clone()], key.clone())
            .keys_match()
            .is_ok()
    };
    match chain.iter().position(is_of) {
        Some(place) => {
            let number = place.saturating_add(1);
            format!(
                "belongs to certificate {number} of the certificate chain, not to the first: put \
                 that one first"
            )
            .into()
        }
        None => "does not belong to the first certificate of the certificate chain: their public \
                 keys differ (`openssl x509 -pubkey -noout -in CHAIN` and \
                 `openssl pkey -pubout -in KEY` show them)"
            .into(),
    }
}

/// Parses a chain. Checks all certificates: with an invalid one, peers would reject the connection.
fn chain(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let mut chain = Vec::new();
    for certificate in read(bytes)? {
        let readable = if chain.is_empty() {
            verdicts::of_own(&certificate.der)
        } else {
            verdicts::of_authority(&certificate.der)
        };
        readable.map_err(|fault| certificate.at(&fault))?;
        chain.push(certificate.der);
    }
    Ok(chain)
}

/// A certificate and its place in the argument.
struct Given<'a> {
    der: CertificateDer<'static>,
    /// The entry, if the argument is PEM.
    entry: Option<Entry<'a>>,
}

impl Given<'_> {
    fn at(&self, fault: &str) -> Fault {
        match &self.entry {
            Some(entry) => format!("{} {fault}", entry.place()).into(),
            None => fault.to_owned().into(),
        }
    }
}

/// Returns the certificates in `bytes`, at least one. Skips other entries.
fn read(bytes: &[u8]) -> Result<Vec<Given<'_>>, Fault> {
    let entries = match pem::read(bytes)? {
        Content::Der(der) if key::is_pkcs12(der) => return Err(key::PKCS12.into()),
        Content::Der(der) if key::is_key(der) => return Err(IS_KEY.into()),
        Content::Der(der) => {
            let der = CertificateDer::from(der.to_vec());
            return Ok(vec![Given { der, entry: None }]);
        }
        Content::Pem(entries) => entries,
    };
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.label == "CERTIFICATE") {
        let der = CertificateDer::from_pem_slice(entry.text).map_err(|_| {
            let place = entry.place();
            format!("{place} {}", key::NO_BASE64)
        })?;
        found.push(Given {
            der,
            entry: Some(*entry),
        });
    }
    if found.is_empty() {
        return Err(no_entry(&entries));
    }
    Ok(found)
}

const IS_KEY: &str =
    "is a private key, not a certificate: certificate chain and key may be exchanged";

/// Returns the fault of a PEM text without a certificate.
fn no_entry(entries: &[Entry<'_>]) -> Fault {
    let Some(entry) = entries.first() else {
        return "has no entry".into();
    };
    let place = entry.place();
    match entry.label {
        label if key::is_label(label) => format!("{place} {IS_KEY}"),
        "TRUSTED CERTIFICATE" => format!(
            "{place} is in a format of OpenSSL's own: convert it, as with \
             `openssl x509 -in FILE -out PEM`"
        ),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => format!(
            "{place} is a request: have an authority sign it, and give the certificate that it made"
        ),
        "PKCS7" => format!(
            "{place} is PKCS #7: convert it, as with `openssl pkcs7 -print_certs -in FILE -out PEM`"
        ),
        _ => format!("has no entry CERTIFICATE: there is only {place}"),
    }
    .into()
}

fn invalid(argument: &str, fault: &str) -> Error {
    Error::InvalidArgument(format!("{argument}: {fault}"))
}
