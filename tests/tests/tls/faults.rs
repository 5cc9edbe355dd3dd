//! Peers that break the protocol, stall, or vanish: none affects the server, and each has its own error.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use asyncio_streams_tests::tls;
use rustls::ClientConnection;

use super::server::{Server, Way};
use asyncio_streams_tests::certificates::Authority;

/// Sends bytes, ends, and waits until the server has ended too.
fn send_and_end(mut stream: TcpStream, bytes: &[u8]) {
    // The server may end before it has read everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Performs the handshake, up to the client's first data.
fn shake_hands(client: &mut ClientConnection, stream: &mut TcpStream) {
    while client.is_handshaking() || client.wants_write() {
        client.complete_io(stream).expect("a handshake");
    }
}

/// The records in which a client sends `data`.
fn records(client: &mut ClientConnection, data: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    client.writer().write_all(data).expect("data");
    while client.wants_write() {
        client.write_tls(&mut records).expect("records");
    }
    records
}

#[test]
fn garbage_instead_of_a_handshake() {
    if !tls() {
        return;
    }
    let inputs: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: server.test\r\n\r\n",
        &[0; 1000],
        &[0xff; 70_000],
        // A record of TLS without a handshake, and one beyond the largest size.
        b"\x17\x03\x03\x00\x05hello",
        b"\x16\x03\x01\xff\xff\x01\x00\xff\xfb\x03\x03",
        // An alert: the client refuses.
        b"\x15\x03\x01\x00\x02\x02\x28",
    ];
    for way in [Way::Upgrade, Way::Accept] {
        let mut server = Server::start(way);
        for (number, input) in inputs.iter().enumerate() {
            send_and_end(server.connect(), input);
            if way == Way::Upgrade {
                let expected = ["TlsFailure::Protocol", "TlsFailure::Handshake"][number / 5];
                assert_eq!(server.program.line(), expected, "input {number}");
            }
            server.serves();
        }
    }
}

#[test]
fn a_handshake_that_is_cut_short() {
    if !tls() {
        return;
    }
    for way in [Way::Upgrade, Way::Accept] {
        let mut server = Server::start(way);
        let mut hello = Vec::new();
        server.client().write_tls(&mut hello).expect("a hello");
        for length in [0, 1, 4, 5, 6, hello.len() / 2, hello.len() - 1, hello.len()] {
            send_and_end(server.connect(), &hello[..length]);
            if way == Way::Upgrade {
                assert_eq!(
                    server.program.line(),
                    "TlsFailure::Handshake",
                    "{length} bytes"
                );
            }
        }
        server.serves();
    }
}

#[test]
fn a_handshake_byte_by_byte() {
    if !tls() {
        return;
    }
    for way in [Way::Upgrade, Way::Accept] {
        let mut server = Server::start(way);
        let (mut client, mut stream) = (server.client(), server.connect());
        while client.is_handshaking() || client.wants_write() {
            let mut out = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut out).expect("records");
            }
            for byte in out {
                stream.write_all(&[byte]).expect("a byte");
            }
            if client.is_handshaking() {
                client.read_tls(&mut stream).expect("an answer");
                client
                    .process_new_packets()
                    .expect("an answer that is right");
            }
        }
        for byte in records(&mut client, b"slowly\n") {
            stream.write_all(&[byte]).expect("a byte");
        }
        let mut tls = rustls::Stream::new(&mut client, &mut stream);
        let mut line = [0; 7];
        tls.read_exact(&mut line).expect("the line");
        assert_eq!(&line, b"slowly\n");
        assert!(server.program.line().contains("TLS_"));
        client.send_close_notify();
        send_and_end(stream, &records(&mut client, b""));
        assert_eq!(server.program.line(), "end");
    }
}

#[test]
fn a_handshake_that_stalls() {
    if !tls() {
        return;
    }
    for way in [Way::Upgrade, Way::Accept] {
        let authority = Authority::new();
        let identity = authority.server(super::SERVER);
        let mut server = Server::with(way, authority, &identity, "", "0.2");
        let mut silent = server.connect();
        let mut hello = Vec::new();
        server.client().write_tls(&mut hello).expect("a hello");
        silent
            .write_all(&hello[..hello.len() / 2])
            .expect("half of it");
        // The server ends it.
        silent.read_to_end(&mut Vec::new()).expect("the end");
        if way == Way::Upgrade {
            assert_eq!(server.program.line(), "DeadlineExceeded");
        }
        server.serves();
    }
}

#[test]
fn data_that_is_cut_short() {
    if !tls() {
        return;
    }
    let mut server = Server::start(Way::Accept);
    // Three records; the last is the end.
    let all = |client: &mut ClientConnection| {
        let (first, second) = (records(client, b"one\n"), records(client, b"two\n"));
        client.send_close_notify();
        let end = records(client, b"");
        let boundaries = [0, first.len(), first.len() + second.len()];
        (boundaries, [first, second, end].concat())
    };
    let (mut client, mut stream) = (server.client(), server.connect());
    shake_hands(&mut client, &mut stream);
    let (boundaries, bytes) = all(&mut client);
    send_and_end(stream, &bytes);
    assert!(server.program.line().contains("TLS_"));
    assert_eq!(server.program.line(), "end");
    let mut cuts: Vec<usize> = boundaries
        .iter()
        .flat_map(|at| [*at, at + 1, at + 4, at + 5, at + 9])
        .collect();
    cuts.push(bytes.len() - 1);
    for cut in cuts {
        let (mut client, mut stream) = (server.client(), server.connect());
        shake_hands(&mut client, &mut stream);
        let (_, bytes) = all(&mut client);
        send_and_end(stream, &bytes[..cut]);
        assert!(server.program.line().contains("TLS_"));
        assert_eq!(
            server.program.line(),
            "TlsFailure::Truncated",
            "after {cut} bytes"
        );
    }
    server.serves();
}

#[test]
fn data_that_was_changed() {
    type Change = fn(&mut Vec<u8>);
    if !tls() {
        return;
    }
    let mut server = Server::start(Way::Accept);
    let changes: [Change; 5] = [
        // In the content, in the tag, in the length; a record that is too large; a handshake record in the clear.
        |bytes| bytes[6] ^= 1,
        |bytes| *bytes.last_mut().expect("a byte") ^= 1,
        |bytes| bytes[4] ^= 1,
        |bytes| bytes.splice(0..0, [0x17, 3, 3, 0x48, 0x01]).for_each(drop),
        |bytes| {
            bytes
                .splice(0..0, [0x16, 3, 3, 0, 4, 1, 0, 0, 0])
                .for_each(drop)
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let (mut client, mut stream) = (server.client(), server.connect());
        shake_hands(&mut client, &mut stream);
        let mut bytes = records(&mut client, b"a line that must not be read\n");
        change(&mut bytes);
        // With the changed length, the server waits for one more byte.
        bytes.extend_from_slice(&[0; 20_000]);
        send_and_end(stream, &bytes);
        assert!(server.program.line().contains("TLS_"));
        assert_eq!(
            server.program.line(),
            "TlsFailure::Protocol",
            "change {number}"
        );
    }
    server.serves();
}
