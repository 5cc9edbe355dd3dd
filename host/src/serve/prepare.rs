//! The beginning of a connection, before the program's own bytes: a PROXY header, a TLS handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ppp::{HeaderResult, PartialResult as _, v1, v2};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsAcceptor;

use super::tls::Tls;
use crate::sockets::{Handed, Names, Prepare, Prepared, TlsSocket, Transport};

/// How long a client may take for its PROXY header and its TLS handshake together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest PROXY header, with what version 2 may have after the addresses, in bytes.
const MAX_HEADER: usize = 4096;

/// Returns the preparation of a program's connections; `None` if they begin with the program's own bytes.
pub(super) fn prepare(proxy: bool, tls: Option<&Tls>) -> Option<Arc<Prepare>> {
    let acceptor = tls.map(|tls| TlsAcceptor::from(tls.config()));
    if !proxy && acceptor.is_none() {
        return None;
    }
    Some(Arc::new(move |handed| {
        let acceptor = acceptor.clone();
        let (local, peer) = handed.addresses();
        Box::pin(async move {
            let prepared = tokio::time::timeout(TIMEOUT, begin(handed, proxy, acceptor));
            let prepared = prepared.await.unwrap_or_else(|_| {
                let reason = format!("nothing complete arrived within {} s", TIMEOUT.as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, reason))
            });
            if let Err(error) = &prepared {
                let reason = crate::Escaped(&error.to_string()).to_string();
                let [local, peer] = [local, peer].map(|of| of.map(tracing::field::display));
                tracing::debug!(
                    peer,
                    local,
                    reason,
                    "a connection was refused before the program saw it"
                );
            }
            prepared
        })
    }))
}

async fn begin(handed: Handed, proxy: bool, acceptor: Option<TlsAcceptor>) -> Prepared {
    let Handed { stream, names, .. } = handed;
    let mut transport = stream.register()?;
    let mut names = names;
    if proxy {
        names = read_header(&mut transport).await?.or(names);
    }
    let Some(acceptor) = acceptor else {
        return Ok((transport, names));
    };
    let tls = match transport {
        Transport::Tcp(stream) => {
            // The messages of a handshake are short, and the client waits for each.
            stream.set_nodelay(true)?;
            TlsSocket::tcp_stream(acceptor.accept(stream).await?)
        }
        Transport::Unix(stream) => TlsSocket::unix_stream(acceptor.accept(stream).await?),
        Transport::Tls(_) => return Err(io::ErrorKind::Unsupported.into()),
    };
    Ok((Transport::Tls(Box::new(tls)), names))
}

/// Reads the header and nothing after it. `None`: the connection is the proxy's own, or the proxy does not know the
/// client.
async fn read_header(transport: &mut Transport) -> io::Result<Option<Names>> {
    let mut header = Vec::with_capacity(108);
    loop {
        let byte = match transport {
            Transport::Tcp(stream) => stream.read_u8().await?,
            Transport::Unix(stream) => stream.read_u8().await?,
            Transport::Tls(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        header.push(byte);
        if let Some(parsed) = parse(&header)? {
            return Ok(parsed.names);
        }
    }
}

#[derive(Debug)]
struct Parsed {
    names: Option<Names>,
}

/// The first bytes of a header of version 2; one of version 1 begins with `PROXY`.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const PREFIX: &[u8] = b"PROXY ";

/// The longest line that is a header of version 1, in bytes.
const MAX_LINE: usize = 107;

/// Reads a header that may not be complete yet.
fn parse(bytes: &[u8]) -> io::Result<Option<Parsed>> {
    let invalid = |reason: String| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("PROXY header: {reason}"),
        )
    };
    let begins = |with: &[u8]| with.iter().zip(bytes).all(|(one, other)| one == other);
    let is_line = begins(PREFIX);
    if !is_line && !begins(SIGNATURE) {
        return Err(invalid("there is none".to_owned()));
    }
    // The parser would refuse a part of a line as wrong.
    let complete = !is_line || bytes.ends_with(b"\r\n");
    let max = if is_line { MAX_LINE } else { MAX_HEADER };
    let result = HeaderResult::parse(bytes);
    if !complete || (!is_line && result.is_incomplete()) {
        return match bytes.len() < max {
            true => Ok(None),
            false => Err(invalid(format!("longer than {max} bytes"))),
        };
    }
    let pair = |peer: (std::net::IpAddr, u16), local: (std::net::IpAddr, u16)| Names {
        peer: SocketAddr::from(peer),
        local: SocketAddr::from(local),
    };
    let names = match result {
        HeaderResult::V1(Ok(header)) => match header.addresses {
            v1::Addresses::Tcp4(of) => Some(pair(
                (of.source_address.into(), of.source_port),
                (of.destination_address.into(), of.destination_port),
            )),
            v1::Addresses::Tcp6(of) => Some(pair(
                (of.source_address.into(), of.source_port),
                (of.destination_address.into(), of.destination_port),
            )),
            v1::Addresses::Unknown => None,
        },
        HeaderResult::V2(Ok(header)) => match (header.command, header.addresses) {
            (v2::Command::Proxy, v2::Addresses::IPv4(of)) => Some(pair(
                (of.source_address.into(), of.source_port),
                (of.destination_address.into(), of.destination_port),
            )),
            (v2::Command::Proxy, v2::Addresses::IPv6(of)) => Some(pair(
                (of.source_address.into(), of.source_port),
                (of.destination_address.into(), of.destination_port),
            )),
            _ => None,
        },
        HeaderResult::V1(Err(error)) => return Err(invalid(error.to_string())),
        HeaderResult::V2(Err(error)) => return Err(invalid(error.to_string())),
    };
    Ok(Some(Parsed { names }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_2(rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(12 + rest.len()).expect("short");
        let addresses = [192, 0, 2, 7, 198, 51, 100, 9, 4, 210, 0, 80];
        [
            SIGNATURE,
            &[0x21, 0x11],
            &length.to_be_bytes(),
            &addresses,
            rest,
        ]
        .concat()
    }

    #[test]
    fn every_part_of_a_header_is_incomplete() {
        let line = b"PROXY TCP4 192.0.2.7 198.51.100.9 1234 80\r\n".to_vec();
        for header in [line, version_2(&[]), version_2(&[4, 0, 1, 0])] {
            for length in 0..header.len() {
                let part = parse(&header[..length]).expect("no error yet");
                assert!(part.is_none(), "{length} of {header:?}");
            }
            let names = parse(&header).expect("a header").expect("complete").names;
            let names = names.expect("addresses");
            assert_eq!(names.peer, ([192, 0, 2, 7], 1234).into());
            assert_eq!(names.local, ([198, 51, 100, 9], 80).into());
        }
    }

    #[test]
    fn bytes_that_begin_no_header_are_refused_at_once() {
        for bytes in [
            &b"G"[..],
            b"PROXZ",
            b"\r\n\r\nx",
            b"PROXY TCP4 192.0.2.777 198.51.100.9 1234 80\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.9 1234\r\n",
            b"PROXY\0",
        ] {
            let error = parse(bytes).expect_err("refused").to_string();
            assert!(error.starts_with("PROXY header: "), "{error}");
        }
        let endless = [b"PROXY TCP4 ".to_vec(), vec![b'1'; MAX_LINE]].concat();
        assert!(parse(&endless).is_err());
        let mut long = version_2(&[0; 8000]);
        long.truncate(MAX_HEADER);
        assert!(parse(&long).is_err());
    }
}
