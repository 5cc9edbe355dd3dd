//! The lobby: connections beyond the mark wait there until they send.

use asyncio_streams_engine::{Limits, ServerOptions};

use crate::support::*;

/// Returns limits with handles for so many accepted connections before the lobby opens.
fn room_for(accepted: u32) -> Limits {
    // The lobby opens at 17 of 24 parts.
    Limits {
        handles: (accepted * 24 + 8) * 24 / 17 + 24,
        ..Limits::default()
    }
}

#[test]
fn above_the_mark_a_peer_is_handed_out_when_it_sends() {
    run_within(room_for(3), |lab| async move {
        let server = lab.serve(ServerOptions::default()).await;
        let mut peers = Vec::new();
        let mut clients = Vec::new();
        // Connections below the mark are handed out though their peers are silent.
        loop {
            peers.push(lab.connect(server.port()).await);
            let mut accept = Box::pin(server.accept());
            let Some(client) = within(&lab.network, SECOND, accept.as_mut()).await else {
                break;
            };
            clients.push(client.unwrap());
        }
        assert!((2..=4).contains(&clients.len()), "{}", clients.len());
        // The next peer sends something, and is handed out before the silent one.
        let speaks = lab.connect(server.port()).await;
        speaks.write(b"me").await.unwrap();
        let (reader, writer) = server.accept().await.unwrap();
        assert_eq!(writer.peername(), Some(inet(speaks.address())));
        assert_eq!(reader.readexactly(2).await.unwrap(), b"me");
        // There is room below the mark again: the silent peer is next.
        drop((reader, writer));
        drop(speaks);
        clients.clear();
        let silent = peers.pop().unwrap();
        drop(peers);
        let (_reader, writer) = server.accept().await.unwrap();
        assert_eq!(writer.peername(), Some(inet(silent.address())));
    });
}

#[test]
fn silent_peers_keep_out_no_peer_that_sends() {
    run_within(room_for(4), |lab| async move {
        let mut options = ServerOptions::default();
        options.set_backlog(1000).unwrap();
        let server = lab.serve(options).await;
        let mut crowd = Vec::new();
        for _ in 0..60 {
            crowd.push(lab.connect(server.port()).await);
        }
        let speaks = lab.connect(server.port()).await;
        speaks.write(b"me").await.unwrap();
        let mut clients = Vec::new();
        let served = async {
            loop {
                let (reader, writer) = server.accept().await.unwrap();
                let found = writer.peername() == Some(inet(speaks.address()));
                clients.push((reader, writer));
                if found {
                    return;
                }
            }
        };
        within(&lab.network, 10 * SECOND, served)
            .await
            .expect("it is served");
        drop(crowd);
    });
}

#[test]
fn peers_that_send_replace_no_new_peer() {
    run_within(room_for(4), |lab| async move {
        let mut options = ServerOptions::default();
        options.set_backlog(1000).unwrap();
        let server = lab.serve(options).await;
        let mut crowd = Vec::new();
        for _ in 0..12 {
            crowd.push(lab.connect(server.port()).await);
        }
        lab.network.sleep(SECOND).await;
        let new = lab.connect(server.port()).await;
        // There are more peers than handles.
        for peer in &crowd {
            peer.write(b"x").await.unwrap();
        }
        lab.network.sleep(SECOND / 10).await;
        new.write(b"new").await.unwrap();
        // A served client leaves and makes room.
        let served = async {
            loop {
                let (reader, writer) = server.accept().await.unwrap();
                if writer.peername() == Some(inet(new.address())) {
                    return reader.readexactly(3).await;
                }
            }
        };
        let served = within(&lab.network, 10 * SECOND, served).await;
        assert_eq!(served.expect("it is served").unwrap(), b"new");
    });
}
