//! Servers: accepting, bounds, the idle timeout, the ways to end.

use std::pin::pin;

use asyncio_streams_engine::testing::sync_call;
use asyncio_streams_engine::{ConnectOptions, ServerOptions};
use futures::join;

use crate::support::*;

/// Returns options with at most `n` connections.
fn at_most(n: u32) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.set_max_connections(n).unwrap();
    options
}

#[test]
fn accepts_in_the_order_of_arrival() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let mut peers = Vec::new();
        for _ in 0..5 {
            peers.push(lab.connect(server.port()).await);
            lab.quiet().await;
        }
        for peer in &peers {
            let (_reader, writer) = server.accept().await.unwrap();
            assert_eq!(writer.peername(), Some(inet(peer.address())));
        }
    });
}

#[test]
fn accept_waits_for_a_connection() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let connect = async {
            lab.network.sleep(SECOND).await;
            lab.connect(server.port()).await
        };
        let (accepted, peer) = join!(server.accept(), connect);
        let (reader, _writer) = accepted.unwrap();
        peer.write(b"hello").await.unwrap();
        assert_eq!(reader.readexactly(5).await.unwrap(), b"hello");
    });
}

#[test]
fn one_accept_at_a_time() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let mut first = pin!(server.accept());
        lab.pending(first.as_mut());
        assert_eq!(server.accept().await.err(), Some(Error::Busy));
        assert_eq!(server.wait_connection().await, Err(Error::Busy));
        assert_eq!(server.try_accept().err(), Some(Error::Busy));
        let _peer = lab.connect(server.port()).await;
        first.await.unwrap();
        assert!(server.try_accept().unwrap().is_none());
    });
}

#[test]
fn dropped_accepts_lose_no_connection() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        for _ in 0..4 {
            {
                let mut accept = pin!(server.accept());
                lab.pending(accept.as_mut());
                lab.quiet().await;
            }
            let peer = lab.connect(server.port()).await;
            lab.quiet().await;
            {
                let mut wait = pin!(server.wait_connection());
                let _ = futures::poll!(wait.as_mut());
            }
            let (_reader, writer) = server.accept().await.unwrap();
            assert_eq!(writer.peername(), Some(inet(peer.address())));
        }
    });
}

#[test]
fn wait_connection_takes_nothing() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        assert!(server.try_accept().unwrap().is_none());
        let _peer = lab.connect(server.port()).await;
        // No connection is accepted without a waiting call.
        lab.network.sleep(SECOND).await;
        assert!(server.try_accept().unwrap().is_none());
        server.wait_connection().await.unwrap();
        server.wait_connection().await.unwrap();
        assert!(server.try_accept().unwrap().is_some());
        assert!(server.try_accept().unwrap().is_none());
    });
}

#[test]
fn cancel_ends_an_accept() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        server.cancel();
        for _ in 0..2 {
            let cancel = async {
                lab.quiet().await;
                server.cancel();
            };
            let (accepted, ()) = join!(server.accept(), cancel);
            assert_eq!(accepted.err(), Some(Error::Cancelled));
        }
        let _peer = lab.connect(server.port()).await;
        server.accept().await.unwrap();
    });
}

#[test]
fn close_ends_an_accept_and_frees_the_address() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let port = server.port();
        let close = async {
            lab.quiet().await;
            server.close();
            assert!(!server.is_serving());
            assert!(server.sockets().is_empty());
        };
        let (accepted, ()) = join!(server.accept(), close);
        assert_eq!(accepted.err(), Some(Error::Closed));
        assert_eq!(server.accept().await.err(), Some(Error::Closed));
        assert_eq!(server.try_accept().err(), Some(Error::Closed));
        assert_eq!(server.wait_connection().await, Err(Error::Closed));
        assert_eq!(server.start_serving(), Err(Error::Closed));
        server.wait_closed().await;
        // The address is free at once, although the accept ends in the background.
        let again = lab
            .other
            .start_server(&[SERVER.to_owned()], port, ServerOptions::default())
            .await;
        let again: Server = again.expect("the address is free").into();
        assert_eq!(again.port(), port);
    });
}

#[test]
fn connections_that_were_not_taken_end_with_the_server() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let taken = lab.connect(server.port()).await;
        let (reader, _writer) = server.accept().await.unwrap();
        let arrived = lab.connect(server.port()).await;
        server.wait_connection().await.unwrap();
        let waiting = lab.connect(server.port()).await;
        lab.quiet().await;
        server.close();
        for peer in [&arrived, &waiting] {
            if let Ok(bytes) = peer.read(1).await {
                assert!(bytes.is_empty());
            }
        }
        // Clients continue.
        taken.write(b"x").await.unwrap();
        assert_eq!(reader.read(1).await.unwrap(), b"x");
    });
}

#[test]
fn wait_closed_waits_for_the_clients() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let _peer = lab.connect(server.port()).await;
        let client = server.accept().await.unwrap();
        let mut closed = pin!(server.wait_closed());
        lab.waits_for(&mut closed, SECOND).await;
        server.close();
        lab.waits_for(&mut closed, SECOND).await;
        drop(client);
        closed.await;
    });
}

#[test]
fn dropped_server_closes_and_its_clients_continue() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let port = server.port();
        let peer = lab.connect(port).await;
        let (reader, writer) = server.accept().await.unwrap();
        drop(server);
        lab.quiet().await;
        let refused = lab.open(port).await;
        assert!(matches!(refused, Err(Error::Connect(_))), "{refused:?}");
        peer.write(b"x").await.unwrap();
        assert_eq!(reader.read(1).await.unwrap(), b"x");
        writer.write(b"y").unwrap();
        assert_eq!(peer.read(1).await.unwrap(), b"y");
    });
}

#[test]
fn server_dropped_with_an_abandoned_accept() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        {
            let mut accept = pin!(server.accept());
            lab.pending(accept.as_mut());
            lab.quiet().await;
        }
        drop(server);
    });
}

#[test]
fn shutdown_waits_for_grace_and_aborts_remaining_clients() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let mut peers = Vec::new();
        let mut clients = Vec::new();
        for _ in 0..3 {
            peers.push(lab.connect(server.port()).await);
            clients.push(server.accept().await.unwrap());
        }
        clients.pop();
        let (aborted, took) = lab.timed(server.shutdown(7 * SECOND)).await;
        assert_eq!(aborted, 2);
        assert_eq!(took, 7 * SECOND);
        for (reader, writer) in &clients {
            assert_eq!(reader.read(1).await, Err(Error::Closed));
            assert_eq!(writer.wait_closed().await, Err(Error::Closed));
        }
    });
}

#[test]
fn shutdown_ends_early_when_all_have_left() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let _peer = lab.connect(server.port()).await;
        let client = server.accept().await.unwrap();
        let leave = async {
            lab.network.sleep(2 * SECOND).await;
            drop(client);
        };
        let ((aborted, took), ()) = join!(lab.timed(server.shutdown(60 * SECOND)), leave);
        assert_eq!((aborted, took / MILLISECOND), (0, 2_000));
    });
}

#[test]
fn dropped_shutdown_aborts_no_clients() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let peer = lab.connect(server.port()).await;
        let (reader, _writer) = server.accept().await.unwrap();
        {
            let mut shutdown = pin!(server.shutdown(SECOND));
            lab.pending(shutdown.as_mut());
        }
        assert!(!server.is_serving());
        lab.network.sleep(10 * SECOND).await;
        peer.write(b"x").await.unwrap();
        assert_eq!(reader.read(1).await.unwrap(), b"x");
    });
}

#[test]
fn clients_can_be_closed_and_aborted_together() {
    for abort in [false, true] {
        run(move |lab| async move {
            let server = lab.serve(ServerOptions::default()).await;
            let peer = lab.connect(server.port()).await;
            let (reader, writer) = server.accept().await.unwrap();
            writer.write(&pattern(0, 400_000)).unwrap();
            lab.quiet().await;
            if abort {
                server.abort_clients();
                assert_eq!(writer.wait_closed().await, Err(Error::Closed));
            } else {
                server.close_clients();
                let all = peer.read_to_end().await.unwrap();
                assert_eq!(all.len(), 400_000);
                writer.wait_closed().await.unwrap();
            }
            assert_eq!(reader.read(1).await, Err(Error::Closed));
            assert!(server.is_serving());
        });
    }
}

#[test]
fn bound_server_serves_after_start_serving() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_start_serving(false);
        let server = lab.serve(options).await;
        assert!(!server.is_serving());
        assert_eq!(server.sockets().len(), 1);
        let port = server.port();
        assert!(matches!(lab.open(port).await, Err(Error::Connect(_))));
        {
            let mut accept = pin!(server.accept());
            lab.pending(accept.as_mut());
        }
        server.start_serving().unwrap();
        server.start_serving().unwrap();
        assert!(server.is_serving());
        let (opened, accepted) = join!(lab.open(port), server.accept());
        opened.unwrap();
        accepted.unwrap();
    });
}

#[test]
fn start_serving_wakes_a_waiting_accept() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_start_serving(false);
        let server = lab.serve(options).await;
        let start = async {
            lab.quiet().await;
            server.start_serving().unwrap();
            lab.connect(server.port()).await
        };
        let (accepted, _peer) = join!(server.accept(), start);
        accepted.unwrap();
    });
}

#[test]
fn backlog_holds_connections_and_no_more() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_backlog(3).unwrap();
        let server = lab.serve(options).await;
        let port = server.port();
        let mut peers = Vec::new();
        for _ in 0..3 {
            peers.push(lab.connect(port).await);
        }
        let mut fourth = pin!(lab.connect(port));
        lab.pending(fourth.as_mut());
        lab.quiet().await;
        lab.pending(fourth.as_mut());
        let _client = server.accept().await.unwrap();
        peers.push(fourth.await);
    });
}

#[test]
fn accepting_stops_at_max_connections() {
    run(|lab| async move {
        let server = lab.serve(at_most(2)).await;
        let mut peers = Vec::new();
        for _ in 0..3 {
            peers.push(lab.connect(server.port()).await);
        }
        let first = server.accept().await.unwrap();
        let _second = server.accept().await.unwrap();
        {
            let mut third = pin!(server.accept());
            lab.waits_for(&mut third, 100 * SECOND).await;
            // Drop the peer too, so that nothing lingers.
            drop(first);
            drop(peers.remove(0));
            third.await.unwrap();
        }
    });
}

#[test]
fn lingering_connection_counts() {
    run(|lab| async move {
        let server = lab.serve(at_most(1)).await;
        let _peer = lab.connect(server.port()).await;
        let (reader, writer) = server.accept().await.unwrap();
        writer.write(b"bye").unwrap();
        drop((reader, writer));
        let _next = lab.connect(server.port()).await;
        let (accepted, took) = lab.timed(server.accept()).await;
        accepted.unwrap();
        assert!((5 * SECOND..6 * SECOND).contains(&took), "{took}");
    });
}

#[test]
fn peer_that_reset_before_it_was_accepted_is_skipped() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let gone = lab.connect(server.port()).await;
        gone.reset();
        lab.quiet().await;
        let peer = lab.connect(server.port()).await;
        let (_reader, writer) = server.accept().await.unwrap();
        assert_eq!(writer.peername(), Some(inet(peer.address())));
    });
}

#[test]
fn failed_accepts_pause_and_double() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let address = (SERVER.parse::<std::net::IpAddr>().unwrap(), server.port()).into();
        lab.network.fail_accepts(address, 5);
        let _peer = lab.connect(server.port()).await;
        let (accepted, took) = lab.timed(server.accept()).await;
        accepted.unwrap();
        // 10, 20, 40, 80 and 160 ms.
        assert_eq!(took / MILLISECOND, 310);
    });
}

#[test]
fn idle_timeout_aborts_a_silent_connection() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_idle_timeout(Some(4 * SECOND));
        let server = lab.serve(options).await;
        let peer = lab.connect(server.port()).await;
        let (reader, writer) = server.accept().await.unwrap();
        peer.write(b"said").await.unwrap();
        reader
            .wait(asyncio_streams_engine::Wanted::Exactly(4))
            .await
            .unwrap();
        let (read, took) = lab.timed(reader.readline()).await;
        assert_eq!(read, Err(Error::DeadlineExceeded));
        // The timeout is late by up to a quarter.
        assert!(
            (4 * SECOND..=5 * SECOND + MILLISECOND).contains(&took),
            "{took}"
        );
        assert_eq!(reader.exception(), Some(Error::DeadlineExceeded));
        assert_eq!(reader.read(9).await.unwrap(), b"said");
        assert_eq!(reader.read(9).await, Err(Error::DeadlineExceeded));
        assert_eq!(writer.drain().await, Err(Error::DeadlineExceeded));
        assert_eq!(writer.wait_closed().await, Err(Error::DeadlineExceeded));
        assert_eq!(writer.write(b"x"), Err(Error::Closed));
        assert_eq!(writer.write_eof(), Err(Error::Closed));
        assert!(writer.is_closing());
    });
}

#[test]
fn bytes_in_either_direction_restart_the_idle_timeout() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_idle_timeout(Some(4 * SECOND));
        let server = lab.serve(options).await;
        let peer = lab.connect(server.port()).await;
        let (reader, writer) = server.accept().await.unwrap();
        for _ in 0..5 {
            lab.network.sleep(3 * SECOND).await;
            peer.write(b"x").await.unwrap();
            assert_eq!(reader.read(1).await.unwrap(), b"x");
            lab.network.sleep(3 * SECOND).await;
            writer.write(b"y").unwrap();
            assert_eq!(peer.read(1).await.unwrap(), b"y");
        }
    });
}

#[test]
fn idle_timeout_frees_a_connection_that_was_not_taken() {
    run(|lab| async move {
        let mut options = ServerOptions::default();
        options.set_idle_timeout(Some(SECOND));
        let server = lab.serve(options).await;
        let peer = lab.connect(server.port()).await;
        server.wait_connection().await.unwrap();
        lab.network.sleep(3 * SECOND).await;
        assert!(peer.other_side_is_gone());
        assert!(server.try_accept().unwrap().is_none());
    });
}

#[test]
fn all_interfaces_share_a_port() {
    run(|lab| async move {
        let server: Server = lab
            .other
            .start_server(&[], 0, ServerOptions::default())
            .await
            .unwrap()
            .into();
        let ports: Vec<_> = server.sockets().iter().map(port_of).collect();
        assert_eq!(ports.len(), 2);
        assert_eq!(ports[0], ports[1]);
        for host in [SERVER, "2001:db8::2"] {
            let opened = lab
                .engine
                .open_connection(host, ports[0], ConnectOptions::default());
            let (opened, accepted) = join!(opened, server.accept());
            let (reader, writer) = opened.unwrap();
            sync_call(|| drop((reader, writer)));
            accepted.unwrap();
        }
    });
}

#[test]
fn address_in_use_and_foreign_address_are_refused() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let again = lab
            .other
            .start_server(
                &[SERVER.to_owned()],
                server.port(),
                ServerOptions::default(),
            )
            .await;
        assert_network(again.map(drop), NetworkCode::AddressInUse);
        let foreign = lab
            .other
            .start_server(&["192.0.2.99".to_owned()], 0, ServerOptions::default())
            .await;
        assert_network(foreign.map(drop), NetworkCode::AddressNotAvailable);
        // One address of this machine is enough.
        let some: Server = lab
            .other
            .start_server(
                &["192.0.2.99".to_owned(), SERVER.to_owned()],
                0,
                ServerOptions::default(),
            )
            .await
            .unwrap()
            .into();
        assert_eq!(some.sockets().len(), 1);
    });
}

/// A face may have to wait before it polls the call for the first time.
#[test]
fn a_call_that_was_not_polled_yet_is_cancelled_too() {
    run(|lab| async move {
        let (options, connect) = (ServerOptions::default(), ConnectOptions::default());
        let hosts = ["127.0.0.1".to_owned()];
        let starting = lab.engine.start_server(&hosts, 0, options.clone());
        let opening = lab.engine.open_connection("127.0.0.1", 1, connect.clone());
        sync_call(|| {
            options.cancel();
            connect.cancel();
        });
        assert_eq!(starting.await.err(), Some(Error::Cancelled));
        assert_eq!(opening.await.err(), Some(Error::Cancelled));
        // Later calls go on.
        let server = lab.engine.start_server(&hosts, 0, options).await;
        assert!(server.unwrap().is_serving());
    });
}

#[test]
fn start_server_is_cancelled_by_its_options() {
    run(|lab| async move {
        lab.network.set_name("slow.example", Ok(Vec::new()), None);
        let options = ServerOptions::default();
        let cancel = async {
            lab.network.sleep(SECOND).await;
            sync_call(|| options.cancel());
        };
        let hosts = ["slow.example".to_owned()];
        let (started, ()) = join!(lab.other.start_server(&hosts, 80, options.clone()), cancel);
        assert_eq!(started.err(), Some(Error::Cancelled));
    });
}
