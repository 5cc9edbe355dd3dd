//! The decisions behind [`Network`](super::Network), asked by WASI before each use of an address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use super::endpoint::{Host, name};
use super::{Denied, Endpoint, Network};

/// From here systems take the ports that nobody asked for by number (Linux; RFC 6335 begins at 49152).
const FREE_PORTS: std::ops::RangeInclusive<u16> = 32768..=65535;

/// So many addresses are remembered for one name; a name service that gives more, gives them in turns.
const ADDRESSES_OF_A_NAME: usize = 1024;

/// A network as one program uses it: the grants, and what its look-ups gave so far.
pub(crate) struct Policy {
    network: Network,
    found: Mutex<HashMap<String, Vec<IpAddr>>>,
}

impl Policy {
    pub(crate) fn new(network: Network) -> Arc<Self> {
        Arc::new(Self {
            network,
            found: Mutex::default(),
        })
    }

    /// Sets up WASI so that it asks this policy.
    pub(crate) fn apply(self: &Arc<Self>, wasi: &mut WasiCtxBuilder) {
        let Network {
            all,
            connect,
            listen,
            on_denied,
        } = &self.network;
        // With somebody to tell, sockets may be made, so that the check learns what is wanted of them.
        wasi.allow_tcp(*all || !connect.is_empty() || !listen.is_empty() || on_denied.is_some());
        wasi.allow_udp(*all || on_denied.is_some());
        // Only for WASI 0.2; those of WASI 0.3 are answered by `Lookup`.
        wasi.allow_ip_name_lookup(*all || connect.iter().any(|to| to.host == Host::Any));
        let policy = Arc::clone(self);
        wasi.socket_addr_check(move |address, wanted| {
            let granted = policy.check(address, wanted);
            Box::pin(std::future::ready(granted))
        });
    }

    /// May this name be looked up?
    pub(super) fn check_lookup(&self, text: &str) -> bool {
        let granted = |to: &Endpoint| match &to.host {
            Host::Any => true,
            Host::Address(_) => false,
            Host::Name(granted) => name(text).is_some_and(|name| name == *granted),
        };
        let Network {
            all,
            connect,
            listen,
            ..
        } = &self.network;
        let address = text.parse::<IpAddr>().is_ok();
        let granted = *all || address || connect.iter().chain(listen).any(granted);
        self.report(granted, || Denied::Lookup(text.to_owned()))
    }

    /// Remembers what a granted look-up gave: these addresses may be used where the name may.
    pub(super) fn found(&self, text: &str, addresses: impl Iterator<Item = IpAddr>) {
        let Some(name) = name(text) else { return };
        let by_name = |to: &Endpoint| matches!(&to.host, Host::Name(granted) if *granted == name);
        if self
            .network
            .connect
            .iter()
            .chain(&self.network.listen)
            .any(by_name)
        {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            let known = found.entry(name).or_default();
            for address in addresses {
                known.retain(|known| *known != address);
                known.push(address);
            }
            let excess = known.len().saturating_sub(ADDRESSES_OF_A_NAME);
            known.drain(..excess);
        }
    }

    fn check(&self, address: SocketAddr, wanted: SocketAddrUse) -> bool {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let Network {
            all,
            connect,
            listen,
            ..
        } = &self.network;
        match wanted {
            _ if *all => true,
            // The system's choice of a local port harms nobody; what is done with it is checked in its turn.
            SocketAddrUse::TcpBind if address.port() == 0 => true,
            SocketAddrUse::TcpBind | SocketAddrUse::TcpListen => {
                let granted = listen.iter().any(|on| self.may_listen(on, address));
                self.report(granted, || Denied::Listen(address))
            }
            SocketAddrUse::TcpConnect => {
                let granted = connect
                    .iter()
                    .any(|to| to.has_port(address.port()) && self.has_address(to, address.ip()));
                self.report(granted, || Denied::Connect(address))
            }
            // Listening was granted, or there would be nothing to accept.
            SocketAddrUse::TcpAccept => !listen.is_empty(),
            SocketAddrUse::UdpBind | SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => {
                self.report(false, || Denied::Udp(address))
            }
        }
    }

    fn may_listen(&self, on: &Endpoint, address: SocketAddr) -> bool {
        let every_address = match on.host {
            Host::Address(IpAddr::V4(granted)) => {
                granted == Ipv4Addr::UNSPECIFIED && address.is_ipv4()
            }
            Host::Address(IpAddr::V6(granted)) => {
                granted == Ipv6Addr::UNSPECIFIED && address.is_ipv6()
            }
            _ => false,
        };
        let port = on.has_port(address.port())
            || (on.port == Some(0) && FREE_PORTS.contains(&address.port()));
        port && (every_address || self.has_address(on, address.ip()))
    }

    fn has_address(&self, endpoint: &Endpoint, address: IpAddr) -> bool {
        match &endpoint.host {
            Host::Any => true,
            Host::Address(granted) => *granted == address,
            Host::Name(name) => {
                let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found
                    .get(name)
                    .is_some_and(|found| found.contains(&address))
            }
        }
    }

    fn report(&self, granted: bool, denied: impl FnOnce() -> Denied) -> bool {
        if !granted && let Some(report) = &self.network.on_denied {
            report(&denied());
        }
        granted
    }
}

#[cfg(test)]
mod tests {
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
        assert!(!policy.check_lookup("localhost"));
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
        assert!(policy.check_lookup("anything.example"));
    }

    #[test]
    fn connecting_is_to_what_was_granted() {
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
            &["0.0.0.0:0", "[::]:0", "127.0.0.1:0"],
            &["127.0.0.1:5000"],
        );
        assert_check(&policy, TcpListen, &[], &["127.0.0.1:40000", "0.0.0.0:0"]);
        assert_check(&policy, TcpAccept, &[], &["127.0.0.1:40000"]);
    }

    #[test]
    fn listening_is_on_what_was_granted() {
        let policy = policy(&[], &["127.0.0.1:8080", "[::1]:0"]);
        let granted = ["127.0.0.1:8080", "[::1]:40000"];
        let denied = [
            "127.0.0.1:8081",
            "127.0.0.1:40000",
            "0.0.0.0:8080",
            "[::1]:8080",
            "[::]:40000",
        ];
        assert_check(&policy, TcpBind, &granted, &denied);
        assert_check(&policy, TcpListen, &granted, &denied);
        assert_check(&policy, TcpAccept, &["10.1.2.3:555"], &[]);
        assert_check(&policy, TcpConnect, &[], &["127.0.0.1:8080"]);
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
    fn a_name_is_the_addresses_that_its_look_up_gave() {
        let policy = policy(&["Example.org:80"], &[]);
        assert!(policy.check_lookup("example.ORG."));
        assert!(
            policy.check_lookup("127.0.0.1"),
            "no look-up is needed for an address"
        );
        assert!(!policy.check_lookup("evil.example"));
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

    #[test]
    fn what_is_remembered_of_a_name_is_bounded() {
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
    fn what_is_denied_is_reported() {
        let (tx, rx) = std::sync::mpsc::channel();
        let policy =
            Policy::new(Network::none().on_denied(move |denied| drop(tx.send(denied.to_string()))));
        policy.check("127.0.0.1:80".parse().expect("an address"), TcpConnect);
        policy.check("[::1]:8080".parse().expect("an address"), TcpListen);
        policy.check("127.0.0.1:53".parse().expect("an address"), UdpSend);
        policy.check_lookup("example.org");
        let reports: Vec<String> = rx.try_iter().collect();
        let expected = [
            "connect to 127.0.0.1:80",
            "listen on [::1]:8080",
            "UDP with 127.0.0.1:53",
            "look-up of example.org",
        ];
        assert_eq!(reports, expected);
    }
}
