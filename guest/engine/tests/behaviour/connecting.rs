//! Connecting: names, Happy Eyeballs, deadlines, cancelling, local addresses.

use std::net::SocketAddr;
use std::pin::pin;

use asyncio_streams_engine::errors::{LookupError, SocketError};
use asyncio_streams_engine::testing::{Route, sync_call};
use asyncio_streams_engine::types::{AddressFamily, ConnectAttempt};
use asyncio_streams_engine::{ConnectOptions, ServerOptions};
use futures::join;

use crate::support::*;

const NAME: &str = "server.example";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Starts a server on all addresses of its host, whose name resolves to an IPv6 address first.
async fn named(lab: &Lab) -> (Server, u16) {
    lab.network.name(NAME, &["2001:db8::2", SERVER]);
    let server: Server = lab
        .other
        .start_server(&[], 0, ServerOptions::default())
        .await
        .unwrap()
        .into();
    let port = server.port();
    (server, port)
}

async fn open(
    lab: &Lab,
    host: &str,
    port: u16,
    options: ConnectOptions,
) -> Result<(Reader, Writer), Error> {
    let (reader, writer) = lab.engine.open_connection(host, port, options).await?;
    Ok((reader.into(), writer.into()))
}

fn attempts(result: Result<(Reader, Writer), Error>) -> Vec<ConnectAttempt> {
    match result {
        Err(Error::Connect(attempts)) => attempts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn first_address_of_a_name_is_used() {
    run(|lab| async move {
        let (server, port) = named(&lab).await;
        let (opened, accepted) = join!(
            open(&lab, NAME, port, ConnectOptions::default()),
            server.accept()
        );
        let (_reader, writer) = opened.unwrap();
        assert_eq!(
            writer.peername(),
            Some(inet((at("[2001:db8::2]:1").ip(), port).into()))
        );
        accepted.unwrap();
    });
}

#[test]
fn dead_first_address_costs_the_delay() {
    run(|lab| async move {
        let (server, port) = named(&lab).await;
        lab.network
            .set_route((at("[2001:db8::2]:1").ip(), port).into(), Route::BlackHole);
        let opening = lab.timed(open(&lab, NAME, port, ConnectOptions::default()));
        let ((opened, took), accepted) = join!(opening, server.accept());
        let (_reader, writer) = opened.unwrap();
        assert_eq!(
            writer.peername(),
            Some(inet((at("192.0.2.2:1").ip(), port).into()))
        );
        assert_eq!(took / MILLISECOND, 250);
        accepted.unwrap();
    });
}

#[test]
fn refused_first_address_costs_no_delay() {
    run(|lab| async move {
        let (server, port) = named(&lab).await;
        let refused = Route::Fails(SocketError::ConnectionRefused, 0);
        lab.network
            .set_route((at("[2001:db8::2]:1").ip(), port).into(), refused);
        let opening = lab.timed(open(&lab, NAME, port, ConnectOptions::default()));
        let ((opened, took), accepted) = join!(opening, server.accept());
        opened.unwrap();
        assert_eq!(took, 0);
        accepted.unwrap();
    });
}

#[test]
fn slower_address_that_wins_closes_the_others() {
    run(|lab| async move {
        let (server, port) = named(&lab).await;
        let slow = Route::Slow(SECOND);
        lab.network
            .set_route((at("[2001:db8::2]:1").ip(), port).into(), slow);
        let slower = Route::Slow(900 * MILLISECOND);
        lab.network
            .set_route((at("192.0.2.2:1").ip(), port).into(), slower);
        let opening = lab.timed(open(&lab, NAME, port, ConnectOptions::default()));
        let ((opened, took), accepted) = join!(opening, server.accept());
        let (_reader, writer) = opened.unwrap();
        assert_eq!(took / MILLISECOND, 1_000);
        assert_eq!(
            writer.peername(),
            Some(inet((at("[2001:db8::2]:1").ip(), port).into()))
        );
        let _first = accepted.unwrap();
        lab.network.sleep(10 * SECOND).await;
        assert_eq!(lab.network.live().calls, 0);
    });
}

#[test]
fn delay_can_be_longer_or_none() {
    for (delay, expected) in [(Some(2 * SECOND), 2_000), (None, 5_000)] {
        run(move |lab| async move {
            let (server, port) = named(&lab).await;
            let fails = Route::Fails(SocketError::Timeout, 5 * SECOND);
            lab.network
                .set_route((at("[2001:db8::2]:1").ip(), port).into(), fails);
            let mut options = ConnectOptions::default();
            options.set_happy_eyeballs_delay(delay);
            let opening = lab.timed(open(&lab, NAME, port, options));
            let ((opened, took), accepted) = join!(opening, server.accept());
            opened.unwrap();
            assert_eq!(took / MILLISECOND, expected);
            accepted.unwrap();
        });
    }
}

#[test]
fn families_alternate_unless_disabled() {
    run(|lab| async move {
        lab.network
            .name(NAME, &["2001:db8::2", "2001:db8::3", SERVER]);
        let (_server, port) = {
            let server = lab.serve(ServerOptions::default()).await;
            let port = server.port();
            (server, port)
        };
        for (host, kind) in [("[2001:db8::2]:1", 0), ("[2001:db8::3]:1", 1)] {
            let delay = kind * SECOND;
            let fails = Route::Fails(SocketError::RemoteUnreachable, 10 * SECOND + delay);
            lab.network.set_route((at(host).ip(), port).into(), fails);
        }
        for (interleave, expected) in [(1, 250), (0, 500), (2, 500)] {
            let mut options = ConnectOptions::default();
            options.set_interleave(interleave);
            let (opened, took) = lab.timed(open(&lab, NAME, port, options)).await;
            opened.unwrap();
            assert_eq!(took / MILLISECOND, expected);
        }
    });
}

#[test]
fn each_address_that_was_tried_has_its_reason() {
    run(|lab| async move {
        lab.network
            .name(NAME, &["2001:db8::2", "192.0.2.77", SERVER]);
        let unreachable = Route::Fails(SocketError::RemoteUnreachable, SECOND);
        lab.network.set_route(at("[2001:db8::2]:80"), unreachable);
        let found = attempts(open(&lab, NAME, 80, ConnectOptions::default()).await);
        let found: Vec<_> = found
            .into_iter()
            .map(|one| (one.address, one.error.code))
            .collect();
        assert_eq!(
            found,
            [
                (inet(at("[2001:db8::2]:80")), NetworkCode::Unreachable),
                (inet(at("192.0.2.77:80")), NetworkCode::Unreachable),
                (inet(at("192.0.2.2:80")), NetworkCode::ConnectionRefused),
            ]
        );
    });
}

#[test]
fn single_address_has_its_reason_too() {
    run(|lab| async move {
        let found = attempts(lab.open(80).await);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].error.code, NetworkCode::ConnectionRefused);
        assert!(
            found[0].error.message.contains("192.0.2.2:80"),
            "{}",
            found[0].error.message
        );
    });
}

#[test]
fn family_restricts_the_addresses() {
    run(|lab| async move {
        let (server, port) = named(&lab).await;
        let mut options = ConnectOptions::default();
        options.set_family(AddressFamily::Ipv4);
        let (opened, accepted) = join!(open(&lab, NAME, port, options.clone()), server.accept());
        let (_reader, writer) = opened.unwrap();
        assert_eq!(
            writer.peername(),
            Some(inet((at("192.0.2.2:1").ip(), port).into()))
        );
        accepted.unwrap();
        let refused = open(&lab, "2001:db8::2", port, options).await;
        assert_network(refused, NetworkCode::NameNotFound);
    });
}

#[test]
fn names_fail_with_their_reason() {
    run(|lab| async move {
        for (answer, code) in [
            (LookupError::NameUnresolvable, NetworkCode::NameNotFound),
            (LookupError::InvalidArgument, NetworkCode::NameNotFound),
            (
                LookupError::TemporaryResolverFailure,
                NetworkCode::NameLookupFailed,
            ),
            (
                LookupError::PermanentResolverFailure,
                NetworkCode::NameLookupFailed,
            ),
            (LookupError::AccessDenied, NetworkCode::AccessDenied),
        ] {
            lab.network
                .set_name("bad.example", Err(answer), Some(SECOND));
            assert_network(
                open(&lab, "bad.example", 80, ConnectOptions::default()).await,
                code,
            );
        }
        let unknown = open(&lab, "unknown.example", 80, ConnectOptions::default()).await;
        assert_network(unknown, NetworkCode::NameNotFound);
    });
}

#[test]
fn invalid_arguments_are_refused_at_once() {
    run(|lab| async move {
        for (host, port) in [("", 80), ("a\0b", 80), (SERVER, 0)] {
            let refused = open(&lab, host, port, ConnectOptions::default()).await;
            assert!(
                matches!(refused, Err(Error::InvalidArgument(_))),
                "{refused:?}"
            );
        }
        let malformed = open(&lab, "not a name", 80, ConnectOptions::default()).await;
        assert_network(malformed, NetworkCode::NameNotFound);
    });
}

#[test]
fn deadline_covers_the_lookup() {
    run(|lab| async move {
        lab.network.set_name("slow.example", Ok(Vec::new()), None);
        let mut options = ConnectOptions::default();
        options.set_deadline(Some(3 * SECOND));
        let (opened, took) = lab.timed(open(&lab, "slow.example", 80, options)).await;
        assert_eq!(opened.err(), Some(Error::DeadlineExceeded));
        assert_eq!(took, 3 * SECOND);
    });
}

#[test]
fn deadline_covers_the_attempts() {
    run(|lab| async move {
        lab.network.set_route(at("192.0.2.2:80"), Route::BlackHole);
        let mut options = ConnectOptions::default();
        options.set_deadline(Some(3 * SECOND));
        let (opened, took) = lab.timed(open(&lab, SERVER, 80, options)).await;
        assert_eq!(opened.err(), Some(Error::DeadlineExceeded));
        assert_eq!(took, 3 * SECOND);
        lab.quiet().await;
        assert_eq!(lab.engine.handles_in_use(), 0, "once the connect has ended");
    });
}

#[test]
fn cancel_of_the_options_ends_all_calls_with_them() {
    run(|lab| async move {
        lab.network.set_route(at("192.0.2.2:80"), Route::BlackHole);
        lab.network.set_name("slow.example", Ok(Vec::new()), None);
        let options = ConnectOptions::default();
        sync_call(|| options.cancel());
        let cancel = async {
            lab.network.sleep(SECOND).await;
            sync_call(|| options.cancel());
        };
        let (one, two, ()) = join!(
            open(&lab, SERVER, 80, options.clone()),
            open(&lab, "slow.example", 80, options.clone()),
            cancel
        );
        assert_eq!(one.err(), Some(Error::Cancelled));
        assert_eq!(two.err(), Some(Error::Cancelled));
    });
}

#[test]
fn dropped_open_closes_every_socket() {
    run(|lab| async move {
        lab.network
            .name(NAME, &["2001:db8::2", "2001:db8::3", SERVER]);
        for host in ["[2001:db8::2]:80", "[2001:db8::3]:80", "192.0.2.2:80"] {
            lab.network.set_route(at(host), Route::BlackHole);
        }
        {
            let mut opening = pin!(open(&lab, NAME, 80, ConnectOptions::default()));
            lab.waits_for(&mut opening, SECOND).await;
            assert_eq!(lab.network.live().calls, 3);
        }
        lab.quiet().await;
        assert_eq!(lab.network.live().calls, 0);
        assert_eq!(lab.engine.handles_in_use(), 0);
    });
}

#[test]
fn open_dropped_just_after_it_connected_ends_the_connection() {
    run(|lab| async move {
        let mut listener = lab.listen();
        let port = listener.address().port();
        {
            let mut opening = pin!(open(&lab, SERVER, port, ConnectOptions::default()));
            lab.pending(opening.as_mut());
            lab.quiet().await;
        }
        let peer = listener.accept().await;
        assert_eq!(peer.read(1).await.unwrap(), b"");
    });
}

#[test]
fn local_address_is_bound() {
    run(|lab| async move {
        let mut listener = lab.listen();
        let port = listener.address().port();
        let mut options = ConnectOptions::default();
        options.add_local_address("2001:db8::1", 0);
        options.add_local_address("192.0.2.99", 0);
        options.add_local_address(CLIENT, 4000);
        let (_reader, writer) = open(&lab, SERVER, port, options).await.unwrap();
        let peer = listener.accept().await;
        assert_eq!(writer.sockname(), Some(inet(at("192.0.2.1:4000"))));
        drop(peer);
    });
}

#[test]
fn open_without_a_local_address_of_the_family_fails() {
    run(|lab| async move {
        let listener = lab.listen();
        let port = listener.address().port();
        let mut options = ConnectOptions::default();
        options.add_local_address("2001:db8::1", 0);
        let found = attempts(open(&lab, SERVER, port, options.clone()).await);
        assert_eq!(found[0].error.code, NetworkCode::AddressNotAvailable);
        options.add_local_address("192.0.2.99", 0);
        let found = attempts(open(&lab, SERVER, port, options).await);
        assert_eq!(found[0].error.code, NetworkCode::AddressNotAvailable);
    });
}

#[test]
fn full_backlog_makes_a_client_wait() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_backlog(1).unwrap();
        let server = lab.serve(options).await;
        let _first = lab.connect(server.port()).await;
        let mut second = pin!(lab.open(server.port()));
        lab.waits_for(&mut second, 10 * SECOND).await;
        let (_opened, accepted) = join!(second, async {
            (
                server.accept().await.unwrap(),
                server.accept().await.unwrap(),
            )
        });
        drop(accepted);
    });
}
