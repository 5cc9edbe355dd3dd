//! The PROXY protocol.

use std::io::Write;
use std::net::TcpStream;

use crate::served::{Client, Served, wait_until};

/// Version 2, from 192.0.2.7:1234 to 198.51.100.9:80, with `rest` after the addresses.
fn version_2(command: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(12 + rest.len()).expect("short");
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, 0x11]);
    header.extend(length.to_be_bytes());
    header.extend([192, 0, 2, 7, 198, 51, 100, 9, 4, 210, 0, 80]);
    header.extend(rest);
    header
}

fn connect(served: &Served, header: &[u8]) -> Client {
    let mut stream = TcpStream::connect(served.address).expect("it listens");
    stream.write_all(header).expect("sent");
    Client::new(stream)
}

#[test]
fn the_header_names_the_client() {
    let served = Served::start(["--proxy-protocol"]);
    // The header may have more after the addresses, which the host skips.
    let extra = [0x04, 0, 3, 1, 2, 3];
    for header in [
        b"PROXY TCP4 192.0.2.7 198.51.100.9 1234 80\r\n".to_vec(),
        version_2(1, &[]),
        version_2(1, &extra),
    ] {
        let mut client = connect(&served, &header);
        client.send("peer\n");
        let names = client.read_line().expect("an answer");
        for part in ["192.0.2.7", "1234", "198.51.100.9", "80"] {
            assert!(names.contains(part), "{names}");
        }
        assert!(client.is_served(), "the header is in the input");
    }
    let header = b"PROXY TCP6 2001:db8::7 2001:db8::9 1234 80\r\n";
    let mut client = connect(&served, header);
    client.send("peer\n");
    assert!(
        client
            .read_line()
            .expect("an answer")
            .contains("2001:db8::7")
    );
    // A header without a client: the proxy itself checks that the server is alive.
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), version_2(0, &[])] {
        let mut client = connect(&served, &header);
        client.send("peer\n");
        assert!(client.read_line().expect("an answer").contains("127.0.0.1"));
    }
}

#[test]
fn bad_headers_are_refused_and_counted() {
    let served = Served::start(["--proxy-protocol", "--admin", "127.0.0.1:0"]);
    let mut long = version_2(1, &[]);
    long[14] = 0xff;
    long.extend(vec![0; 70_000]);
    let bad = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.9 1234\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.777 198.51.100.9 1234 80\r\n".to_vec(),
        [b"PROXY TCP4 ".to_vec(), vec![b'1'; 5000]].concat(),
        long,
    ];
    let count = bad.len();
    for header in bad {
        let mut stream = TcpStream::connect(served.address).expect("it listens");
        // The server may close before everything is sent.
        let _ = stream.write_all(&header);
        Client::new(stream).wait_for_end();
    }
    // A truncated header: the client leaves in the middle.
    for header in [&b"PROXY TCP4 192.0"[..], &version_2(1, &[])[..20], b""] {
        drop(connect(&served, header));
    }
    let admin = crate::admin::address(&served);
    let rejected = (count + 3) as f64;
    wait_until(
        || crate::admin::metrics(admin).value("streams_connections_rejected_total") == rejected,
        || format!("{:?}", crate::admin::metrics(admin)),
    );
    assert!(connect(&served, b"PROXY UNKNOWN\r\n").is_served());
}

/// Without the option a header is the client's own data: no client can claim another's address.
#[test]
fn a_header_without_the_option_is_data() {
    let served = Served::start(["--workers", "1"]);
    let mut client = connect(&served, b"PROXY TCP4 192.0.2.7 198.51.100.9 1234 80\r\n");
    assert_eq!(
        client.read_line().expect("an answer"),
        "PROXY TCP4 192.0.2.7 198.51.100.9 1234 80\r\n"
    );
    client.send("peer\n");
    assert!(!client.read_line().expect("an answer").contains("192.0.2.7"));
}
