//! The addresses of a server: several hosts, one port for all of them, each address once, and impossible ones.

use asyncio_streams::{
    AddressFamily, Error, NetworkCode, Server, ServerOptions, cli, open_connection, start_server,
};
use asyncio_streams_test_programs::{Failure, Result, Side, check, loopback, matching, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    one_address().await?;
    both_families().await?;
    duplicates().await?;
    one_family().await?;
    taken().await?;
    not_ours().await?;
    not_a_host().await
}

async fn one_address() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    check!(server.is_serving());
    let sockets = server.sockets();
    same!(sockets.len(), 1);
    matching!(sockets.first().and_then(loopback), Some(("127.0.0.1", 1..)));
    reaches(&server, "127.0.0.1").await
}

/// Port 0 becomes the same port for both.
async fn both_families() -> Result {
    let server = start_server(["127.0.0.1", "::1"], 0).await?;
    let sockets = server.sockets();
    let sockets: Vec<_> = sockets.iter().filter_map(loopback).collect();
    if let [("127.0.0.1", one)] = sockets.as_slice() {
        check!(*one != 0);
        cli::println("no IPv6 here").await?;
        return Ok(());
    }
    matching!(sockets.as_slice(), [("127.0.0.1", one), ("::1", other)] if one == other && *one != 0);
    for _ in 0..3 {
        reaches(&server, "::1").await?;
        reaches(&server, "127.0.0.1").await?;
    }
    Ok(())
}

async fn duplicates() -> Result {
    let server = start_server(["127.0.0.1", "127.0.0.1", "::ffff:127.0.0.1"], 0).await?;
    same!(server.sockets().len(), 1);
    reaches(&server, "127.0.0.1").await
}

async fn one_family() -> Result {
    let only = |family| ServerOptions::new().family(family);
    let server = only(AddressFamily::Ipv4)
        .start_server(["127.0.0.1"], 0)
        .await?;
    same!(server.sockets().len(), 1);
    let none = only(AddressFamily::Ipv6)
        .start_server(["127.0.0.1"], 0)
        .await;
    check!(code(none) == Some(NetworkCode::NameNotFound));
    Ok(())
}

async fn taken() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let second = start_server(["127.0.0.1"], port(&server)?).await;
    check!(code(second) == Some(NetworkCode::AddressInUse));
    // The other addresses are released then.
    let both = start_server(["::1", "127.0.0.1"], port(&server)?).await;
    check!(code(both) == Some(NetworkCode::AddressInUse));

    // After the close the port is free at once, even while connections are still ending.
    let number = port(&server)?;
    reaches(&server, "127.0.0.1").await?;
    server.close();
    let again = start_server(["127.0.0.1"], number).await?;
    reaches(&again, "127.0.0.1").await
}

/// An address that no host has, for documentation (RFC 5737).
async fn not_ours() -> Result {
    let none = start_server(["192.0.2.1"], 0).await;
    check!(code(none) == Some(NetworkCode::AddressNotAvailable));
    let server = start_server(["192.0.2.1", "127.0.0.1"], 0).await?;
    same!(server.sockets().len(), 1);
    reaches(&server, "127.0.0.1").await
}

async fn not_a_host() -> Result {
    let nul = start_server(["127.0.0.1\0"], 0).await;
    matching!(nul, Err(Error::InvalidArgument(_)));
    let unknown = start_server(["no-such-host.invalid"], 0).await;
    let unknown = code(unknown);
    check!(
        matches!(
            unknown,
            Some(NetworkCode::NameNotFound | NetworkCode::NameLookupFailed)
        ),
        "{unknown:?}"
    );
    Ok(())
}

/// A client reaches the server, and both ends know each other's addresses.
async fn reaches(server: &Server, host: &str) -> Result {
    let (client, accepted) = futures::join!(open_connection(host, port(server)?), server.accept());
    let (client, accepted): (Side, Side) = (client?.into(), accepted?.into());
    same!(client.writer.sockname(), accepted.writer.peername());
    same!(client.writer.peername(), accepted.writer.sockname());
    let peer = client
        .writer
        .peername()
        .ok_or_else(|| Failure::new("no peername"))?;
    same!(loopback(&peer), Some((host, port(server)?)));
    accepted.writer.send("hello\n").await?;
    same!(client.reader.readline().await?, b"hello\n");
    Ok(())
}

fn code(result: std::result::Result<Server, Error>) -> Option<NetworkCode> {
    match result {
        Err(Error::Network(error)) => Some(error.code),
        _ => None,
    }
}
