//! A component without TLS: every call about it is `not-supported`, and changes nothing.

use asyncio_streams::{
    ClientAuthentication, ClientConfig, ConnectOptions, Error, ServerConfig, ServerOptions,
    TlsVersion,
};
use asyncio_streams_test_programs::{Pair, Result, SERVER, check, matching, same, tcp};

asyncio_streams::run!(main);

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

async fn main() -> Result {
    let (client, server) = (ClientConfig::new(), ServerConfig::new());
    let answers = [
        client.set_built_in_roots(true),
        client.add_roots("").map(drop),
        client.set_certificate("", ""),
        client.set_alpn(&["h2"]),
        client.set_versions(TlsVersion::Tls12, TlsVersion::Tls13),
        client.set_resumption(true),
        client.set_handshake_timeout(SECOND),
        client.set_wait_for_peer(true),
        client.set_shutdown_timeout(SECOND),
        client.dangerous_accept_any_certificate(),
        server.add_certificate("", ""),
        server.set_client_authentication(ClientAuthentication::None),
        server.add_client_roots("").map(drop),
        server.set_alpn(&["h2"]),
        server.set_versions(TlsVersion::Tls12, TlsVersion::Tls13),
        server.set_resumption(true),
        server.set_handshake_timeout(SECOND),
        server.set_wait_for_peer(true),
        server.set_shutdown_timeout(SECOND),
        ConnectOptions::new().tls(&client).to_raw().map(drop),
        ServerOptions::new().tls(&server).to_raw().map(drop),
    ];
    for answer in answers {
        matching!(answer, Err(Error::NotSupported(_)));
    }

    let Pair { left, right } = tcp().await?;
    matching!(
        left.writer.start_tls(&left.reader, &client, SERVER).await,
        Err(Error::NotSupported(_))
    );
    matching!(
        right.writer.start_tls_server(&right.reader, &server).await,
        Err(Error::NotSupported(_))
    );
    check!(left.writer.tls_info().is_none());
    left.writer.write("as before\n")?;
    same!(right.reader.readline().await?, b"as before\n");
    Ok(())
}
