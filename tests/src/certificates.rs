//! Certificates for the tests, good ones and bad ones: made anew each time, and useful for the tests only.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;

/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority that signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, as PEM.
    pub pem: String,
}

/// A certificate with its key, as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

/// The owner of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// The time of a certificate's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// From yesterday until tomorrow.
    Now,
    /// Until yesterday.
    Over,
    /// From tomorrow.
    ToCome,
}

impl Authority {
    /// A new authority, with a unique name.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("authority {number} of the tests"))
    }

    /// A new authority with this name, which others may have too.
    ///
    /// # Panics
    /// When this machine cannot make a key.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A good certificate for a server with this name or address.
    pub fn server(&self, name: &str) -> Identity {
        self.issue(name, Use::Server, Time::Now)
    }

    /// A good certificate for a server with all these names and addresses.
    pub fn server_of(&self, names: &[&str]) -> Identity {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.sign(params(names, Use::Server, Time::Now))
    }

    /// A certificate with one fault: it is an authority's.
    pub fn authority_as_server(&self, name: &str) -> Identity {
        let mut params = params(vec![name.to_owned()], Use::Server, Time::Now);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.sign(params)
    }

    /// A good certificate for a client.
    pub fn client(&self) -> Identity {
        self.issue("client.test", Use::Client, Time::Now)
    }

    /// A certificate of any kind.
    ///
    /// # Panics
    /// When `name` is not a valid name.
    pub fn issue(&self, name: &str, usage: Use, time: Time) -> Identity {
        self.sign(params(vec![name.to_owned()], usage, time))
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A self-signed certificate.
///
/// # Panics
/// When `name` is not a valid name.
pub fn self_signed(name: &str) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let certificate = params(vec![name.to_owned()], Use::Server, Time::Now)
        .self_signed(&key)
        .expect("a certificate");
    Identity {
        chain: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn params(names: Vec<String>, usage: Use, time: Time) -> CertificateParams {
    let first = names.first().expect("a name").clone();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, first);
    // Python requires it from 3.13 on (RFC 5280, 4.2.1.1).
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![match usage {
        Use::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Use::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = match time {
        Time::Now => (now - DAY, now + DAY),
        Time::Over => (now - 2 * DAY, now - DAY),
        Time::ToCome => (now + DAY, now + 2 * DAY),
    };
    params
}
