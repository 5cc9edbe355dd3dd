//! Tests of each check. The module `hints` tests the suggested grants.

mod hints;

use super::*;
use SocketAddrUse::*;

fn policy(connect: &[&str], listen: &[&str]) -> Arc<Policy> {
    let mut network = Network::none();
    for to in connect {
        network = network.allow_connect(to.parse().expect("an endpoint"));
    }
    for on in listen {
        network = network.allow_listen(on.parse().expect("an endpoint"));
    }
    Policy::new(network)
}

#[track_caller]
fn assert_check(policy: &Policy, wanted: SocketAddrUse, granted: &[&str], denied: &[&str]) {
    for (addresses, expected) in [(granted, true), (denied, false)] {
        for address in addresses {
            let answer = policy.check(address.parse().expect("an address"), wanted);
            assert_eq!(answer, expected, "{wanted:?} {address}");
        }
    }
}

#[test]
fn nothing_is_granted_by_default() {
    let policy = policy(&[], &[]);
    for wanted in [
        TcpConnect, TcpListen, TcpAccept, UdpBind, UdpSend, UdpReceive,
    ] {
        assert_check(
            &policy,
            wanted,
            &[],
            &["127.0.0.1:80", "[::1]:80", "0.0.0.0:0"],
        );
    }
    assert_eq!(policy.check_lookup("localhost"), Err(NotLookedUp::Denied));
}

#[test]
fn all_is_everything() {
    let policy = Policy::new(Network::all());
    for wanted in [
        TcpBind, TcpConnect, TcpListen, TcpAccept, UdpBind, UdpSend, UdpReceive,
    ] {
        assert_check(
            &policy,
            wanted,
            &["127.0.0.1:80", "[::1]:80", "0.0.0.0:0"],
            &[],
        );
    }
    assert_eq!(policy.check_lookup("anything.example"), Ok(()));
}

#[test]
fn connecting_needs_a_grant() {
    let policy = policy(&["127.0.0.1:80", "[::1]:*", "*:25"], &[]);
    let granted = [
        "127.0.0.1:80",
        "[::ffff:127.0.0.1]:80",
        "[::1]:1",
        "10.0.0.1:25",
        "[fe80::1]:25",
    ];
    assert_check(
        &policy,
        TcpConnect,
        &granted,
        &["127.0.0.1:81", "127.0.0.2:80", "0.0.0.0:80", "[::2]:80"],
    );
    assert_check(
        &policy,
        TcpBind,
        &["0.0.0.0:0", "[::]:0"],
        &["127.0.0.1:0", "127.0.0.1:5000", "0.0.0.0:5000", "[::1]:0"],
    );
    assert_check(&policy, TcpListen, &[], &["127.0.0.1:40000", "0.0.0.0:0"]);
    assert_check(&policy, TcpAccept, &[], &["127.0.0.1:40000"]);
}

#[test]
fn listening_needs_a_grant() {
    let policy = policy(&[], &["127.0.0.1:8080", "[::1]:0"]);
    let granted = ["127.0.0.1:8080", "[::1]:0"];
    let denied = [
        "127.0.0.1:8081",
        "127.0.0.1:0",
        "127.0.0.1:40000",
        "0.0.0.0:8080",
        "[::1]:8080",
        "[::1]:40000",
        "[::]:40000",
    ];
    assert_check(&policy, TcpBind, &granted, &denied);
    assert_check(&policy, TcpListen, &granted, &denied);
    assert_check(&policy, TcpListen, &[], &["0.0.0.0:0", "[::]:0"]);
    assert_check(&policy, TcpAccept, &["10.1.2.3:555"], &[]);
    assert_check(&policy, TcpConnect, &[], &["127.0.0.1:8080"]);
}

#[test]
fn port_0_grants_the_ports_that_the_system_chose_on_every_address() {
    let socket = |text: &str| text.parse().expect("an address");
    let policy = policy(
        &["127.0.0.1:*"],
        &["127.0.0.1:0", "[::1]:0", "127.0.0.2:80"],
    );
    policy.bound(socket("127.0.0.1:0"), socket("127.0.0.1:1234"));
    policy.bound(socket("127.0.0.2:80"), socket("127.0.0.2:80"));
    for wanted in [TcpBind, TcpListen] {
        // The same port again, for a server on IPv4 and IPv6 at once.
        let granted = ["127.0.0.1:1234", "[::1]:1234", "127.0.0.2:80"];
        let denied = [
            "127.0.0.1:1235",
            "127.0.0.1:40000",
            "[::1]:65535",
            "127.0.0.1:80",
            "127.0.0.2:1234",
            "0.0.0.0:1234",
        ];
        assert_check(&policy, wanted, &granted, &denied);
    }
}

#[test]
fn a_chosen_local_address_needs_a_grant_to_listen() {
    let connects = policy(&["10.0.0.1:80"], &[]);
    assert_check(
        &connects,
        TcpBind,
        &["0.0.0.0:0", "[::]:0"],
        &["127.0.0.2:0"],
    );
    let chooses = policy(&["10.0.0.1:80"], &["127.0.0.2:0"]);
    let denied = ["127.0.0.1:0", "127.0.0.2:80"];
    assert_check(&chooses, TcpBind, &["127.0.0.2:0", "0.0.0.0:0"], &denied);
}

#[test]
fn the_unspecified_address_stands_for_every_address_of_its_family() {
    let policy = policy(&[], &["0.0.0.0:80"]);
    assert_check(
        &policy,
        TcpListen,
        &["0.0.0.0:80", "127.0.0.1:80", "10.0.0.1:80"],
        &["[::]:80", "[::1]:80"],
    );
}

#[test]
fn a_granted_name_allows_the_addresses_of_its_look_up() {
    let policy = policy(&["Example.org:80"], &[]);
    assert_eq!(policy.check_lookup("example.ORG."), Ok(()));
    assert_eq!(
        policy.check_lookup("evil.example"),
        Err(NotLookedUp::Denied)
    );
    assert_check(&policy, TcpConnect, &[], &["192.0.2.1:80"]);
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    policy.found(
        "EXAMPLE.org",
        [address("192.0.2.1"), address("2001:db8::1")].into_iter(),
    );
    policy.found("evil.example", [address("192.0.2.9")].into_iter());
    assert_check(
        &policy,
        TcpConnect,
        &["192.0.2.1:80", "[2001:db8::1]:80"],
        &["192.0.2.1:81", "192.0.2.9:80"],
    );
}

/// All spellings of a name are the same name, in the grant and in the program.
#[test]
fn a_grant_holds_for_every_spelling_of_a_name() {
    let spellings = [
        "xn--bcher-kva.example",
        "XN--Bcher-KVA.Example.",
        "bücher.example",
        "BÜCHER.example",
        "bu\u{308}cher.example",
        "ｂücher。example",
        "b%C3%BCcher.ex%61mple",
    ];
    for granted in spellings {
        let policy = policy(&[&format!("{granted}:80")], &[]);
        for looked_up in spellings {
            assert_eq!(
                policy.check_lookup(looked_up),
                Ok(()),
                "{granted} {looked_up}"
            );
            let address = Ipv4Addr::new(192, 0, 2, 1);
            policy.found(looked_up, [address.into()].into_iter());
            assert_check(&policy, TcpConnect, &["192.0.2.1:80"], &["192.0.2.1:81"]);
        }
    }
}

#[test]
fn an_address_is_looked_up_without_a_grant() {
    for address in ["127.0.0.1", "127.1", "0x7f.1", "127.0.0.1.", "::1", "[::1]"] {
        assert_eq!(policy(&[], &[]).check_lookup(address), Ok(()), "{address}");
    }
}

#[test]
fn an_impossible_host_is_neither_looked_up_nor_reported() {
    let network = Network::none().on_denied(|denied| panic!("{denied}"));
    let policy = Policy::new(network);
    for text in [
        "",
        ".",
        "a b",
        "*",
        "*.example.org",
        "300.1.1.1",
        "x\n",
        "fe80::1%2",
        "a..b",
    ] {
        assert_eq!(
            policy.check_lookup(text),
            Err(NotLookedUp::NoHost),
            "{text:?}"
        );
    }
}

#[test]
fn the_addresses_of_a_name_are_bounded() {
    let policy = policy(&["example.org:80"], &[]);
    policy.found(
        "example.org",
        (0..5000_u32).map(|n| IpAddr::from(Ipv4Addr::from(n))),
    );
    let found = policy.found.lock().expect("not poisoned");
    assert_eq!(found["example.org"].len(), ADDRESSES_OF_A_NAME);
    assert!(found["example.org"].contains(&IpAddr::from(Ipv4Addr::from(4999))));
}

#[test]
fn denials_are_reported() {
    let (tx, rx) = std::sync::mpsc::channel();
    let policy =
        Policy::new(Network::none().on_denied(move |denied| drop(tx.send(denied.to_string()))));
    policy.check("127.0.0.1:80".parse().expect("an address"), TcpConnect);
    policy.check("[::1]:8080".parse().expect("an address"), TcpListen);
    policy.check("127.0.0.1:53".parse().expect("an address"), UdpSend);
    let _ = policy.check_lookup("Bücher.example.");
    let reports: Vec<String> = rx.try_iter().collect();
    let expected = [
        "connect to 127.0.0.1:80",
        "listen on [::1]:8080",
        "UDP with 127.0.0.1:53",
        "look-up of xn--bcher-kva.example",
    ];
    assert_eq!(reports, expected);
}
