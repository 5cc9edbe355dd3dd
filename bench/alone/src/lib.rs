//! Measures how fast rustls and ring protect bytes in WebAssembly, from memory to memory: an upper bound for any
//! transport.
//!
//! The work is that of the other peers, without a network: `bulk-out` makes records, `bulk-in` reads them. The work
//! of the other session in the same component is not measured.

use std::cell::Cell;
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use asyncio_streams::now;
use asyncio_streams_bench_guest::{Result, certificate, order, report};
use asyncio_streams_bench_plan::{Client, Kind, Meter, Order};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig,
    ServerConnection, SideData,
};

asyncio_streams::run!(main);

/// Bytes that are protected at once, as in `streams-tls.wasm`.
const PIECE: usize = 64 << 10;

async fn main() -> Result {
    let Order::Client(client) = order()? else {
        return Err("this peer has no server".into());
    };
    let (mut left, mut right) = sessions(&client)?;
    let spent = Cell::new(Duration::ZERO);
    let meter = Meter::new(&client, || spent.get());
    let counted = |work: &mut dyn FnMut() -> Result| {
        let begin = now();
        let done = work();
        spent.set(spent.get() + now().saturating_sub(begin));
        done
    };
    let plaintext = vec![b'x'; PIECE];
    let mut records = Vec::new();
    loop {
        records.clear();
        match client.kind {
            Kind::BulkOut => {
                counted(&mut || protect(&mut left, &plaintext, &mut records))?;
                take(&mut right, &records)?;
            }
            Kind::BulkIn => {
                protect(&mut right, &plaintext, &mut records)?;
                counted(&mut || take(&mut left, &records))?;
            }
            kind => return Err(format!("{kind:?} takes a network").into()),
        }
        if !meter.go_on(PIECE as u64) {
            break;
        }
    }
    report(meter.measured()?).await
}

/// Makes records of all of `plaintext`.
fn protect<Data>(
    from: &mut ConnectionCommon<Data>,
    plaintext: &[u8],
    into: &mut Vec<u8>,
) -> Result {
    from.writer().write_all(plaintext)?;
    while from.wants_write() {
        from.write_tls(into)?;
    }
    Ok(())
}

/// Reads the records, and drops their content.
fn take<Data: SideData>(into: &mut ConnectionCommon<Data>, mut records: &[u8]) -> Result {
    while !records.is_empty() {
        into.read_tls(&mut records)?;
        into.process_new_packets()?;
        let mut reader = into.reader();
        while let Ok(bytes) = reader.fill_buf()
            && !bytes.is_empty()
        {
            let n = bytes.len();
            reader.consume(n);
        }
    }
    Ok(())
}

/// Two sessions after their handshake.
fn sessions(client: &Client) -> Result<(ClientConnection, ServerConnection)> {
    let pem = certificate().ok_or("there is no certificate in the environment")?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<std::result::Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain.clone());
    let provider = Arc::new(chacha());
    let theirs = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let ours = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::from(client.address.ip());
    let mut left = ClientConnection::new(Arc::new(ours), name)?;
    let mut right = ServerConnection::new(Arc::new(theirs))?;
    left.set_buffer_limit(None);
    right.set_buffer_limit(None);
    let mut records = Vec::new();
    while left.is_handshaking() || right.is_handshaking() {
        protect(&mut left, &[], &mut records)?;
        take(&mut right, &records)?;
        records.clear();
        protect(&mut right, &[], &mut records)?;
        take(&mut left, &records)?;
        records.clear();
    }
    Ok((left, right))
}

/// The suite that `streams-tls.wasm` prefers.
fn chacha() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.suite() == CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    provider
}
