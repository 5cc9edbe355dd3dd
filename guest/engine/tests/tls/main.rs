//! TLS over the network in memory: handshakes, data, ends, `start-tls`, and records that are cut anywhere.
//!
//! The certificate is only for these tests and is not verified here: the tests with real peers check verification.

#[path = "../support/mod.rs"]
mod support;

use std::rc::Rc;

use asyncio_streams_engine::testing::{CutKind, Faults};
use asyncio_streams_engine::tls::{ClientSettings, ServerSettings};
use asyncio_streams_engine::types::{TlsFailure, TlsVersion};
use asyncio_streams_engine::{ClientProtector, ConnectOptions, Protector, ServerOptions};
use futures::join;

use support::*;

const NAME: &str = "server.example";

fn server_role(version: TlsVersion) -> Rc<dyn Protector> {
    let mut settings = ServerSettings::default();
    let key = include_bytes!("key.pem").to_vec();
    settings
        .add_certificate(include_bytes!("certificate.pem"), key)
        .expect("a certificate");
    settings
        .common
        .set_versions(TlsVersion::Tls12, version)
        .expect("versions");
    Rc::new(settings.server().expect("a role"))
}

fn client_role() -> Rc<dyn ClientProtector> {
    let mut settings = ClientSettings::default();
    settings.accept_any_certificate().expect("a client");
    Rc::new(settings.client(Some(NAME)).expect("a role"))
}

fn options(version: TlsVersion) -> (ConnectOptions, ServerOptions) {
    let mut client = ConnectOptions::default();
    client.set_tls(client_role());
    let mut server = ServerOptions::default();
    server.set_tls(server_role(version));
    (client, server)
}

/// Opens and accepts concurrently: a handshake needs both sides.
async fn pair(lab: &Lab, version: TlsVersion) -> ((Reader, Writer), (Reader, Writer)) {
    let (client, server) = options(version);
    let server = lab.serve(server).await;
    let (opened, accepted) = join!(lab.open_with(server.port(), client), server.accept());
    (opened.expect("a handshake"), accepted.expect("a handshake"))
}

fn is_tls(error: &Error, failure: TlsFailure) -> bool {
    matches!(error, Error::Tls(tls) if tls.failure == failure)
}

#[test]
fn bytes_go_both_ways_and_end() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        run(move |lab| async move {
            let ((reader, writer), (their_reader, their_writer)) = pair(&lab, version).await;
            assert_eq!(
                writer.raw().tls_info().expect("it is protected").version,
                version
            );
            assert_eq!(writer.can_write_eof(), version == TlsVersion::Tls13);
            writer.write(&pattern(0, 200_000)).unwrap();
            their_writer.write(&pattern(9, 200_000)).unwrap();
            let (ours, theirs) = join!(
                reader.readexactly(200_000),
                their_reader.readexactly(200_000)
            );
            assert_pattern(9, &ours.unwrap());
            assert_pattern(0, &theirs.unwrap());
            writer.write(b"last").unwrap();
            writer.close();
            writer.wait_closed().await.unwrap();
            assert_eq!(their_reader.read_to_end().await.unwrap(), b"last");
            assert!(their_reader.at_eof());
        });
    }
}

#[test]
fn one_direction_ends_before_the_other() {
    run(|lab| async move {
        let ((reader, writer), (their_reader, their_writer)) = pair(&lab, TlsVersion::Tls13).await;
        writer.write(b"question").unwrap();
        writer.write_eof().unwrap();
        assert_eq!(their_reader.read_to_end().await.unwrap(), b"question");
        their_writer.write(&pattern(0, 100_000)).unwrap();
        drop(their_writer);
        assert_pattern(0, &reader.read_to_end().await.unwrap());
        assert!(reader.at_eof());
    });
}

#[test]
fn end_without_close_notify_is_a_truncation() {
    run(|lab| async move {
        let ((reader, writer), (_their_reader, their_writer)) = pair(&lab, TlsVersion::Tls13).await;
        their_writer.write(b"some").unwrap();
        assert_eq!(reader.readexactly(4).await.unwrap(), b"some");
        // The socket closes without an alert.
        their_writer.abort();
        let error = reader.read(1).await.expect_err("a truncation");
        assert!(is_tls(&error, TlsFailure::Truncated), "{error:?}");
        assert!(!reader.at_eof());
        assert_eq!(writer.wait_closed().await, Err(error));
    });
}

/// Runs a handshake and data, with the network cut after different numbers of bytes. No side may receive wrong bytes or
/// a false end, and nothing may be left.
#[test]
fn network_cut_anywhere_is_a_failure_and_not_an_end() {
    for kind in [CutKind::End, CutKind::Reset] {
        for bytes in (0..6_000).step_by(97) {
            for to_client in [false, true] {
                run_with_seed(bytes, move |lab| async move {
                    let cut = Faults::cut(bytes, kind);
                    if to_client {
                        lab.network.set_faults(Faults::default(), cut);
                    } else {
                        lab.network.set_faults(cut, Faults::default());
                    }
                    let (client, server) = options(TlsVersion::Tls13);
                    let server = lab.serve(server).await;
                    let serving = async {
                        let accepting = within(&lab.network, SECOND, server.accept());
                        let Some(Ok((reader, writer))) = accepting.await else {
                            return;
                        };
                        transfer(&lab, &reader, &writer).await;
                    };
                    let opening = async {
                        let Ok((reader, writer)) = lab.open_with(server.port(), client).await
                        else {
                            return;
                        };
                        transfer(&lab, &reader, &writer).await;
                    };
                    join!(serving, opening);
                });
            }
        }
    }
}

/// Sends and receives; a clean end comes after all bytes.
async fn transfer(lab: &Lab, reader: &Reader, writer: &Writer) {
    if writer.write(&pattern(0, 5_000)).is_ok() {
        let _ = writer.write_eof();
    }
    let receiving = async {
        let mut got = Vec::new();
        loop {
            match reader.read(1_000).await {
                Ok(bytes) if bytes.is_empty() => {
                    assert_eq!(got.len(), 5_000, "an end too early");
                    return;
                }
                Ok(bytes) => got.extend(bytes),
                Err(_) => break,
            }
        }
        assert_pattern(0, &got);
    };
    within(&lab.network, SECOND, receiving).await;
}

#[test]
fn records_arrive_byte_by_byte() {
    run_in_order(|lab| async move {
        lab.network
            .set_faults(Faults::byte_by_byte(), Faults::byte_by_byte());
        let ((reader, writer), (their_reader, their_writer)) = pair(&lab, TlsVersion::Tls13).await;
        writer.write(&pattern(0, 3_000)).unwrap();
        their_writer.write(&pattern(1, 3_000)).unwrap();
        let (ours, theirs) = join!(reader.readexactly(3_000), their_reader.readexactly(3_000));
        assert_pattern(1, &ours.unwrap());
        assert_pattern(0, &theirs.unwrap());
    });
}

#[test]
fn start_tls_protects_a_connection_in_use() {
    run(|lab| async move {
        let ((reader, writer), (their_reader, their_writer)) = lab.pair().await;
        writer.write(b"STARTTLS\n").unwrap();
        assert_eq!(their_reader.readline().await.unwrap(), b"STARTTLS\n");
        their_writer.write(b"GO\n").unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"GO\n");
        let client = client_role().named();
        let server = server_role(TlsVersion::Tls13);
        let (ours, theirs) = join!(
            writer.raw().start_tls(reader.raw(), client),
            their_writer.raw().start_tls(their_reader.raw(), server)
        );
        ours.unwrap();
        theirs.unwrap();
        writer.write(&pattern(0, 100_000)).unwrap();
        writer.close();
        assert_pattern(0, &their_reader.read_to_end().await.unwrap());
        their_writer.close();
    });
}

#[test]
fn dropped_start_tls_aborts() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        interrupted(
            writer.raw().start_tls(reader.raw(), client_role().named()),
            5,
        )
        .await;
        assert_eq!(writer.wait_closed().await, Err(Error::Closed));
        lab.quiet().await;
        assert!(peer.other_side_is_gone());
    });
}

#[test]
fn handshake_with_a_silent_peer_times_out() {
    run(|lab| async move {
        let mut listener = lab.listen();
        let (client, _) = options(TlsVersion::Tls13);
        let opening = lab.open_with(listener.address().port(), client);
        let ((opened, took), peer) = join!(lab.timed(opening), listener.accept());
        assert_eq!(opened.err(), Some(Error::DeadlineExceeded));
        assert_eq!(took, 60 * SECOND);
        drop(peer);
    });
}

#[test]
fn peer_without_tls_is_a_failure_and_its_remains_count() {
    run(|lab| async move {
        let mut listener = lab.listen();
        let (client, _) = options(TlsVersion::Tls13);
        let opening = lab.open_with(listener.address().port(), client);
        let speaking = async {
            let peer = listener.accept().await;
            peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
            peer
        };
        let (opened, peer) = join!(opening, speaking);
        assert!(matches!(opened, Err(Error::Tls(_))), "{opened:?}");
        assert_eq!(lab.engine.handles_in_use(), 18);
        lab.network.sleep(3 * SECOND).await;
        assert_eq!(lab.engine.handles_in_use(), 0);
        drop(peer);
    });
}
