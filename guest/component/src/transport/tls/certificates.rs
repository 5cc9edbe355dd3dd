//! Certificates and keys from the bytes that a program gives.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::bindings::exports::asyncio::streams::types::Error;

use super::suites;

/// Bytes of roots that one configuration may be given.
const MOST: usize = 4 * 1024 * 1024;

/// How PEM tells that an object begins (RFC 7468).
const PEM: &[u8] = b"-----BEGIN ";

/// Roots that a program has given.
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
    /// Adds what `certificates` holds, all or nothing; gives how many these are.
    pub(super) fn add(&mut self, certificates: &[u8]) -> Result<u32, Error> {
        let bytes = self.bytes.saturating_add(certificates.len());
        if bytes > MOST {
            return Err(invalid("roots: more than 4 MiB of them"));
        }
        let mut store = self.store.clone();
        let mut added: u32 = 0;
        for certificate in chain(certificates, "roots")? {
            store
                .add(certificate)
                .map_err(|error| invalid(&format!("roots: {error}")))?;
            added = added.saturating_add(1);
        }
        *self = Roots { store, bytes };
        Ok(added)
    }

    /// These roots, and the built-in ones if they count.
    pub(super) fn with_built_in(&self, built_in: bool) -> RootCertStore {
        let mut store = self.store.clone();
        if built_in {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store
    }
}

/// A certificate with the key that belongs to it.
pub(super) fn identity(certificates: &[u8], key: Vec<u8>) -> Result<Arc<CertifiedKey>, Error> {
    // Wiped whatever comes of it; what the library keeps of the key is its own affair.
    let key = Zeroizing::new(key);
    let chain = chain(certificates, "certificate")?;
    let parsed = if is_pem(&key) {
        PrivateKeyDer::from_pem_slice(&key)
            .map_err(|_| invalid("key: no private key in the PEM, or a sealed one"))
    } else {
        PrivateKeyDer::try_from(key.as_slice())
            .map(|key| key.clone_key())
            .map_err(|_| invalid("key: neither PEM nor a private key in DER"))
    };
    // The library's words tell nothing of the key but what kind it is.
    CertifiedKey::from_der(chain, parsed?, &suites::provider())
        .map(Arc::new)
        .map_err(|error| invalid(&format!("key: {error}")))
}

/// The certificates in `bytes`, at least one.
fn chain(bytes: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    if !is_pem(bytes) {
        if bytes.is_empty() {
            return Err(invalid(&format!("{what}: no certificate")));
        }
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let found = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| invalid(&format!("{what}: the PEM is damaged")))?;
    if found.is_empty() {
        return Err(invalid(&format!("{what}: no certificate in the PEM")));
    }
    Ok(found)
}

/// Text may come before the first object.
fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(PEM.len()).any(|window| window == PEM)
}

fn invalid(reason: &str) -> Error {
    Error::InvalidArgument(reason.into())
}
