//! Opening connections: what is refused, and how.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, ServerOptions, open_connection, start_server,
};
use crate::bindings::asyncio::streams::types::{Address, NetworkCode};
use crate::checks::{
    Check, Node, Result, SOON, check, is_network, list, matching, pair, peer, port_of, same, serve,
};

/// Only where the host grants no network.
pub(crate) const DENIED: Check = Check {
    name: "denied",
    run: denied,
    node: Node::Named,
};

list![
    invalid_arguments,
    refused,
    echo,
    addresses,
    localhost,
    no_tls
];

fn invalid_arguments(_: u16) -> Result {
    matching!(
        open_connection("127.0.0.1", 0, None),
        Err(Error::InvalidArgument(_))
    );
    matching!(open_connection("", 1, None), Err(Error::InvalidArgument(_)));
    matching!(open_connection("a b", 1, None), Err(error) if is_network(&error, NetworkCode::NameNotFound));
    let options = ConnectOptions::new();
    matching!(options.set_limit(0), Err(Error::InvalidArgument(_)));
    matching!(
        options.set_keep_alive_times(Some(0), None, None),
        Err(Error::InvalidArgument(_))
    );
    Ok(())
}

fn refused(_: u16) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    server.close();
    drop(server);
    matching!(
        open_connection("127.0.0.1", port, None),
        Err(Error::Connect(attempts))
            if matches!(attempts.as_slice(), [one] if one.error.code == NetworkCode::ConnectionRefused)
    );
    Ok(())
}

fn echo(port: u16) -> Result {
    let (reader, writer) = peer(port, "echo")?;
    for n in 0..100_usize {
        let message = vec![b'a'; n * 37];
        writer.write(&message)?;
        same!(
            reader.readexactly(u32::try_from(message.len()).unwrap_or(0), SOON)?,
            message
        );
    }
    writer.write_eof()?;
    same!(reader.read(None, SOON)?, b"");
    check!(reader.at_eof());
    writer.close();
    writer.wait_closed(SOON)?;
    Ok(())
}

fn addresses(_: u16) -> Result {
    let pair = pair()?;
    let port = |address: Option<Address>| match address {
        Some(Address::Inet(inet)) if inet.host == "127.0.0.1" => inet.port,
        _ => 0,
    };
    let (left, right) = (&pair.left.1, &pair.right.1);
    same!(port(left.peername()), port(right.sockname()));
    same!(port(left.sockname()), port(right.peername()));
    check!(port(left.peername()) > 0);
    let (server, port) = serve(&ServerOptions::new())?;
    same!(port_of(&server)?, port);
    Ok(())
}

/// The component without TLS refuses every setting, and a handshake.
fn no_tls(_: u16) -> Result {
    use crate::bindings::asyncio::streams::tls::ClientConfig;
    let config = ClientConfig::new();
    if config.set_built_in_roots(true).is_ok() {
        // This is the component with TLS.
        return Ok(());
    }
    let pair = pair()?;
    let started = pair.left.1.start_tls(&pair.left.0, &config, "localhost");
    matching!(started, Err(Error::NotSupported(_)));
    check!(pair.left.1.tls_info().is_none());
    pair.left.1.write(b"plain\n")?;
    same!(pair.right.0.readline(SOON)?, b"plain\n");
    Ok(())
}

fn denied(_: u16) -> Result {
    matching!(
        open_connection("127.0.0.1", 1, None),
        Err(Error::Connect(attempts))
            if matches!(attempts.as_slice(), [one] if one.error.code == NetworkCode::AccessDenied)
    );
    let server = start_server(&["127.0.0.1".into()], 0, None, SOON);
    matching!(server, Err(error) if is_network(&error, NetworkCode::AccessDenied));
    Ok(())
}

/// The name service of the system.
fn localhost(_: u16) -> Result {
    let server = start_server(&["localhost".into()], 0, None, SOON)?;
    let sockets = server.sockets();
    let Some(Address::Inet(first)) = sockets.first() else {
        return Err(format!("no TCP socket: {sockets:?}").into());
    };
    let left = open_connection("localhost", first.port, None)?;
    let right = server.accept(SOON)?;
    left.1.write(b"by name\n")?;
    same!(right.0.readline(SOON)?, b"by name\n");
    matching!(left.1.peername(), Some(Address::Inet(inet)) if ["127.0.0.1", "::1"].contains(&inet.host.as_str()));
    Ok(())
}
