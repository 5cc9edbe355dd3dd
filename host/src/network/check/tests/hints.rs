//! Denials name an endpoint that the parser accepts and that grants them.

use std::net::{SocketAddrV4, SocketAddrV6};

use proptest::prelude::*;

use super::*;

/// Returns a policy and its reports.
fn reporting(network: Network) -> (Arc<Policy>, std::sync::mpsc::Receiver<Denied>) {
    let (tx, rx) = std::sync::mpsc::channel();
    let network = network.on_denied(move |denied| drop(tx.send(denied.clone())));
    (Policy::new(network), rx)
}

/// The endpoint of the one report, as a user would copy it.
fn hinted(reports: &std::sync::mpsc::Receiver<Denied>) -> Endpoint {
    let denied = reports.try_recv().expect("a report");
    assert!(reports.try_recv().is_err(), "one report is enough");
    let text = denied.endpoint().expect("an endpoint").to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:*[]".contains(c);
    assert!(text.chars().all(plain), "{text:?}");
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// A denied path, used as a grant, allows the same use of the same path.
#[cfg(unix)]
#[test]
fn of_a_unix_socket() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("real.sock"), "").expect("a file");
    std::os::unix::fs::symlink("real.sock", folder.path().join("link.sock")).expect("a link");
    let at = |name: &str| {
        let path = folder.path().join(name);
        Named::parse(path.as_os_str().as_bytes()).expect("a path")
    };
    let mut paths = vec![
        at("real.sock"),
        at("link.sock"),
        at("none/a.sock"),
        at("a\n\u{1b}[2J.sock"),
    ];
    paths.extend(Named::parse(b"\0app"));
    for (named, wanted) in paths
        .iter()
        .flat_map(|named| [(named, UnixUse::Connect), (named, UnixUse::Listen)])
    {
        let (policy, reports) = reporting(Network::none());
        assert_eq!(policy.check_unix(named, wanted), Err(PathError::Denied));
        let network = match reports.try_recv().expect("a report") {
            Denied::UnixConnect(path) => Network::none().allow_unix_connect(grant(&path)),
            Denied::UnixListen(path) => Network::none().allow_unix_listen(grant(&path)),
            other => panic!("{other:?}"),
        };
        let checked = Policy::new(network).check_unix(named, wanted);
        assert_ne!(checked, Err(PathError::Denied), "{named:?} {wanted:?}");
    }
}

#[cfg(unix)]
fn grant(path: &str) -> crate::network::UnixPath {
    let Ok(path) = path.parse();
    path
}

/// Hosts as people and programs write them, and texts that are nearly hosts.
fn host() -> impl Strategy<Value = String> {
    let written = prop::sample::select(vec![
        "example.org",
        "Example.ORG.",
        "a.b-c.d_e",
        "bücher.example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.EXAMPLE.",
        "straße.de",
        "пример.рф",
        "ｌｏｃａｌｈｏｓｔ",
        "例え。テスト",
        "ex%61mple.org",
        "localhost",
        "_srv._tcp.example",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "300.1.1.1",
        "::1",
        "[::1]",
        "::ffff:1.2.3.4",
        "fe80::1%2",
        "[fe80::1%eth0]",
        "10.0.0.0/8",
        "*",
        "*.example.org",
        "a:80",
        "evil\nstreams: x",
        "\u{1b}[2J.example",
        "\u{202e}moc.elpmaxe",
        "",
        ".",
        "..",
    ]);
    let label = "[a-zA-Z0-9üß_*%:/ .-]{0,70}";
    prop_oneof![
        written.prop_map(str::to_owned),
        label,
        (label, label).prop_map(|(one, other)| format!("{one}.{other}")),
        any::<String>(),
    ]
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let v4 = any::<(Ipv4Addr, u16)>().prop_map(|(ip, port)| SocketAddrV4::new(ip, port).into());
    let v6 = any::<(Ipv6Addr, u16, u32, u32)>()
        .prop_map(|(ip, port, flow, scope)| SocketAddrV6::new(ip, port, flow, scope).into());
    let mapped = any::<(Ipv4Addr, u16)>()
        .prop_map(|(ip, port)| SocketAddr::new(ip.to_ipv6_mapped().into(), port));
    let special = prop::sample::select(vec![
        "0.0.0.0:0",
        "0.0.0.0:1234",
        "127.0.0.1:0",
        "127.0.0.1:65535",
        "[::]:0",
        "[::]:1234",
        "[::1]:0",
        "[fe80::1%2]:1234",
    ]);
    prop_oneof![
        v4,
        v6,
        mapped,
        special.prop_map(|text| text.parse().expect("an address")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn of_a_look_up(text in host(), port in 1..=u16::MAX) {
        let (policy, reports) = reporting(Network::none());
        match policy.check_lookup(&text) {
            Ok(()) => prop_assert!(matches!(Host::named(&text), Some(Host::Address(_)))),
            Err(NotLookedUp::NoHost) => prop_assert!(reports.try_recv().is_err()),
            Err(NotLookedUp::Denied) => {
                let hint = hinted(&reports);
                let listens = Policy::new(Network::none().allow_listen(hint.clone()));
                prop_assert_eq!(listens.check_lookup(&text), Ok(()));
                let connects = Policy::new(Network::none().allow_connect(hint));
                prop_assert_eq!(connects.check_lookup(&text), Ok(()));
                let address = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), port);
                prop_assert!(!connects.check(address, TcpConnect));
                connects.found(&text, [address.ip()].into_iter());
                prop_assert!(connects.check(address, TcpConnect));
            }
        }
    }

    #[test]
    fn of_an_address(address in address(), wanted in 0..3_usize, by_the_system: bool) {
        let wanted = [TcpBind, TcpListen, TcpConnect][wanted];
        let asked = SocketAddr::new(address.ip(), 0);
        let remember = |policy: &Policy| if by_the_system { policy.bound(asked, address) };
        let (policy, reports) = reporting(Network::none());
        remember(&policy);
        if !policy.check(address, wanted) {
            let hint = hinted(&reports);
            let granting = match wanted {
                TcpConnect => Network::none().allow_connect(hint),
                _ => Network::none().allow_listen(hint),
            };
            let (policy, reports) = reporting(granting);
            remember(&policy);
            prop_assert!(policy.check(address, wanted), "{:?}", reports.try_recv());
        }
    }

    /// The resolver reads the host of a grant in the same way as the grant does.
    #[test]
    fn of_a_grant_that_was_written_by_hand(text in host()) {
        if let Ok(to) = format!("{text}:80").parse::<Endpoint>() {
            let policy = Policy::new(Network::none().allow_connect(to));
            prop_assert_eq!(policy.check_lookup(&text), Ok(()));
        }
    }
}
