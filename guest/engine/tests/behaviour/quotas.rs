//! The quotas that all connections of an engine share.

use asyncio_streams_engine::testing::Faults;
use asyncio_streams_engine::{Limits, ServerOptions, Wanted, Watch};

use crate::support::*;

#[test]
fn connections_count_until_nothing_of_them_is_left() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        assert_eq!(lab.engine.handles_in_use(), 18);
        drop(reader);
        lab.quiet().await;
        assert_eq!(lab.engine.handles_in_use(), 18);
        drop(writer);
        lab.quiet().await;
        // The connection lingers.
        assert_eq!(lab.engine.handles_in_use(), 18);
        drop(peer);
        lab.quiet().await;
        assert_eq!(lab.engine.handles_in_use(), 0);
    });
}

#[test]
fn server_and_its_connections_count() {
    run(|lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        assert_eq!(lab.other.handles_in_use(), 4);
        let peer = lab.connect(server.port()).await;
        let client = server.accept().await.unwrap();
        assert_eq!(lab.other.handles_in_use(), 4 + 24);
        drop(peer);
        drop(client);
        lab.quiet().await;
        assert_eq!(lab.other.handles_in_use(), 4);
        drop(server);
        lab.quiet().await;
        assert_eq!(lab.other.handles_in_use(), 0);
    });
}

#[test]
fn full_quota_of_handles_refuses_and_takes_again() {
    let limits = Limits {
        handles: 40,
        ..Limits::default()
    };
    run_within(limits, |lab| async move {
        let mut listener = lab.listen();
        let port = listener.address().port();
        let one = lab.open(port).await.unwrap();
        let _two = lab.open(port).await.unwrap();
        assert_network(lab.open(port).await, NetworkCode::OutOfResources);
        drop(one);
        drop(listener.accept().await);
        lab.quiet().await;
        let _three = lab.open(port).await.unwrap();
    });
}

/// A program first opens connections, and then waits for all of them.
#[test]
fn a_full_quota_of_handles_has_room_for_watches() {
    const RESERVE: usize = 64;
    let limits = Limits {
        handles: 40,
        ..Limits::default()
    };
    run_within(limits, |lab| async move {
        let listener = lab.listen();
        let port = listener.address().port();
        let _connections = [lab.open(port).await.unwrap(), lab.open(port).await.unwrap()];
        assert_network(lab.open(port).await, NetworkCode::OutOfResources);
        let watches: Vec<Watch> = (0..=RESERVE).map(|_| Watch::new(&lab.engine)).collect();
        let waits: Vec<_> = watches.iter().map(Watch::wait).collect();
        // The two connections leave 4 handles of the limit.
        assert_eq!(waits.iter().filter(|wait| wait.is_ok()).count(), RESERVE);
        assert_network(lab.open(port).await, NetworkCode::OutOfResources);
    });
}

#[test]
fn bytes_are_held_until_they_are_read() {
    run(|lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.write(&pattern(0, 1000)).await.unwrap();
        reader.wait(Wanted::Exactly(1000)).await.unwrap();
        assert_eq!(lab.engine.bytes_held(), 1000);
        reader.readexactly(400).await.unwrap();
        assert_eq!(lab.engine.bytes_held(), 600);
        writer.write(&pattern(0, 50)).unwrap();
        assert_eq!(lab.engine.bytes_held(), 650);
        peer.read_exactly(50).await.unwrap();
        lab.quiet().await;
        assert_eq!(lab.engine.bytes_held(), 600);
        drop(reader);
        assert_eq!(lab.engine.bytes_held(), 0);
    });
}

#[test]
fn connection_that_holds_much_waits_while_small_ones_continue() {
    let limits = Limits {
        memory: 300_000,
        ..Limits::default()
    };
    run_within(limits, |lab| async move {
        let (reader, writer, peer) = lab.peer().await;
        peer.set_faults_in(Faults::black_hole());
        writer.write(&pattern(0, 300_000)).unwrap();
        assert_eq!(writer.write(b"x"), Err(Error::BufferFull));
        lab.quiet().await;
        // The window has taken 64 KiB.
        let room = 300_000 - lab.engine.bytes_held();
        assert_eq!(room, 65_536);
        let (_other_reader, other_writer, other_peer) = lab.peer().await;
        other_writer.write(&pattern(0, 100_000)).unwrap();
        assert_eq!(writer.write(b"x"), Err(Error::BufferFull));
        peer.write(b"input").await.unwrap();
        assert_network(reader.readexactly(5).await, NetworkCode::OutOfResources);
        assert_pattern(0, &other_peer.read_exactly(100_000).await.unwrap());
        lab.quiet().await;
        // Nothing was lost.
        assert_eq!(reader.readexactly(5).await.unwrap(), b"input");
        writer.abort();
        assert_eq!(lab.engine.bytes_held(), 0);
    });
}

#[test]
fn further_connection_attempts_count() {
    let limits = Limits {
        handles: 21,
        ..Limits::default()
    };
    run_within(limits, |lab| async move {
        use asyncio_streams_engine::testing::Route;
        lab.network
            .name("many.example", &["192.0.2.71", "192.0.2.72", "192.0.2.73"]);
        for host in ["192.0.2.71:80", "192.0.2.72:80", "192.0.2.73:80"] {
            let fails = Route::Fails(asyncio_streams_engine::errors::SocketError::Timeout, SECOND);
            lab.network.set_route(host.parse().unwrap(), fails);
        }
        let options = asyncio_streams_engine::ConnectOptions::default();
        let failed = lab
            .engine
            .open_connection("many.example", 80, options)
            .await;
        let Err(Error::Connect(attempts)) = failed.map(drop) else {
            panic!("it was connected");
        };
        let codes: Vec<_> = attempts.into_iter().map(|one| one.error.code).collect();
        assert_eq!(
            codes,
            [
                NetworkCode::TimedOut,
                NetworkCode::TimedOut,
                NetworkCode::OutOfResources
            ]
        );
        lab.quiet().await;
        assert_eq!(lab.engine.handles_in_use(), 0);
    });
}
