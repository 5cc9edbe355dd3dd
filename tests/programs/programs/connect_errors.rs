//! Failed connects: each reason has its error. The arguments are the addresses of `localhost` that the host test
//! found.

use asyncio_streams::{
    Address, AddressFamily, ConnectAttempt, ConnectOptions, Error, NetworkCode, cli,
    open_connection, start_server,
};
use asyncio_streams_test_programs::{Result, Side, check, matching, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    // A port that was free a moment ago, and that the system will not assign again at once.
    let server = start_server(["127.0.0.1"], 0).await?;
    let closed = port(&server)?;
    server.close();
    refused(closed).await?;
    several(closed).await?;
    arguments(closed).await?;
    names(closed).await?;
    scopes(closed).await?;
    local_addresses().await
}

fn is(error: &Error, code: NetworkCode) -> bool {
    matches!(error, Error::Network(it) if it.code == code && !it.message.is_empty())
}

async fn refused(port: u16) -> Result {
    for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let attempts =
            matching!(open_connection(host, port).await, Err(Error::Connect(attempts)) => attempts);
        same!(hosts(&attempts)?, [host.trim_start_matches("::ffff:")]);
        same!(attempts[0].error.code, NetworkCode::ConnectionRefused);
        check!(
            attempts[0].error.message.contains("refused"),
            "{}",
            attempts[0].error.message
        );
    }
    Ok(())
}

/// One entry for each address that was tried, with its own reason.
async fn several(port: u16) -> Result {
    let mut expected = cli::arguments();
    expected.sort();
    for options in [
        ConnectOptions::new(),
        ConnectOptions::new().happy_eyeballs_delay(None),
        ConnectOptions::new()
            .happy_eyeballs_delay(std::time::Duration::ZERO)
            .interleave(0),
    ] {
        let failed = options.open_connection("localhost", port).await;
        let attempts = matching!(failed, Err(Error::Connect(attempts)) => attempts);
        let mut tried = hosts(&attempts)?;
        tried.sort();
        same!(tried, expected);
        check!(
            attempts
                .iter()
                .all(|attempt| attempt.error.code == NetworkCode::ConnectionRefused),
            "{attempts:?}"
        );
    }
    Ok(())
}

fn hosts(attempts: &[ConnectAttempt]) -> Result<Vec<String>> {
    let mut hosts = Vec::new();
    for attempt in attempts {
        hosts.push(matching!(&attempt.address, Address::Inet(inet) => inet.host.clone()));
    }
    Ok(hosts)
}

async fn arguments(port: u16) -> Result {
    matching!(open_connection("127.0.0.1", 0).await, Err(Error::InvalidArgument(text)) if text.contains("port"));
    for host in ["", "\0", "local\0host", "127.0.0.1\0"] {
        matching!(open_connection(host, port).await, Err(Error::InvalidArgument(text)) if text.contains("host"));
        let options = ConnectOptions::new().local_address(host, 0);
        matching!(
            options.open_connection("127.0.0.1", port).await,
            Err(Error::InvalidArgument(_))
        );
    }
    Ok(())
}

async fn names(port: u16) -> Result {
    // `.invalid` never exists (RFC 6761). Without a name service the lookup fails instead.
    for host in [
        "no-such-host.invalid",
        "-",
        "a..b",
        "host name",
        "127.0.0.1:80",
        "1.2.3.4.5",
    ] {
        matching!(open_connection(host, port).await, Err(error)
            if is(&error, NetworkCode::NameNotFound) || is(&error, NetworkCode::NameLookupFailed));
        matching!(start_server([host], 0).await, Err(error)
            if is(&error, NetworkCode::NameNotFound) || is(&error, NetworkCode::NameLookupFailed));
    }
    let too_long = "x".repeat(70_000);
    matching!(
        open_connection(&too_long, port).await,
        Err(Error::Network(_))
    );
    // An address of the other family.
    for (host, family) in [
        ("127.0.0.1", AddressFamily::Ipv6),
        ("::1", AddressFamily::Ipv4),
    ] {
        let options = ConnectOptions::new().family(family);
        matching!(options.open_connection(host, port).await, Err(error) if is(&error, NetworkCode::NameNotFound));
    }
    Ok(())
}

/// The zone of an IPv6 address is part of it, in arguments and in results.
async fn scopes(closed: u16) -> Result {
    let attempts = matching!(open_connection("fe80::1%99999", closed).await, Err(Error::Connect(attempts)) => attempts);
    let address = matching!(&attempts[..], [one] => &one.address);
    check!(
        matches!(address, Address::Inet(it) if it.host == "fe80::1" && it.scope_id == 99999),
        "{address:?}"
    );
    // The loopback address needs no zone, and the system accepts one.
    let server = start_server(["::1%1"], 0).await?;
    let to = port(&server)?;
    let (near, far) = futures::join!(open_connection("::1%1", to), server.accept());
    drop((near?, far?));
    Ok(())
}

async fn local_addresses() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    // No host has the address 192.0.2.1 (RFC 5737).
    let options = ConnectOptions::new().local_address("192.0.2.1", 0);
    let attempts = matching!(options.open_connection("127.0.0.1", port).await, Err(Error::Connect(attempts)) => attempts);
    same!(attempts[0].error.code, NetworkCode::AddressNotAvailable);
    // No local address of the remote address' family.
    let options = ConnectOptions::new().local_address("::1", 0);
    let attempts = matching!(options.open_connection("127.0.0.1", port).await, Err(Error::Connect(attempts)) => attempts);
    same!(attempts[0].error.code, NetworkCode::AddressNotAvailable);
    // Then the next one is tried.
    let options = options
        .local_address("192.0.2.1", 0)
        .local_address("127.0.0.2", 0);
    let (near, far) = futures::join!(options.open_connection("127.0.0.1", port), server.accept());
    let (near, far): (Side, Side) = (near?.into(), far?.into());
    let name = matching!(far.writer.peername(), Some(Address::Inet(name)) => name);
    same!(name.host, "127.0.0.2");
    same!(near.writer.sockname(), far.writer.peername());
    Ok(())
}
