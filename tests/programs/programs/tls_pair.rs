//! Both ends of protected connections: results of the handshake, both versions, names, resumption, ends.

use asyncio_streams::{
    CertificateFailure, ClientConfig, ConnectOptions, Error, ServerConfig, ServerOptions,
    TlsFailure, TlsVersion,
};
use asyncio_streams_test_programs::{
    Certificates, Pair, Result, SERVER, check, matching, pattern, refused, same, tcp_with,
    tls_failure, tls_with, upgraded,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let given = Certificates::from_arguments(0)?;
    agreement(&given).await?;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        data(&given, version).await?;
    }
    resumption(&given).await?;
    half_close(&given).await?;
    closing(&given).await?;
    names(&given).await
}

async fn agreement(given: &Certificates) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    client.set_alpn(&["h2", "http/1.1"])?;
    server.set_alpn(&["spdy/1", "http/1.1"])?;
    let Pair { left, right } = tls_with(&client, &server).await?;
    for side in [&left, &right] {
        let info = side.writer.tls_info();
        check!(info.is_some());
        let Some(info) = info else { continue };
        same!(info.version, TlsVersion::Tls13);
        same!(info.suite, "TLS_CHACHA20_POLY1305_SHA256");
        same!(info.alpn.as_deref(), Some("http/1.1"));
        same!(info.server_name.as_deref(), Some(SERVER));
        check!(!info.resumed);
    }
    let certificates = |side: &asyncio_streams_test_programs::Side| {
        side.writer
            .tls_info()
            .map_or(0, |info| info.peer_certificates.len())
    };
    same!(certificates(&left), 1);
    same!(certificates(&right), 0);
    // Without a common protocol the handshake fails.
    server.set_alpn(&["spdy/1"])?;
    let left = ConnectOptions::new().tls(&client).server_name(SERVER);
    let error = refused(&left, &ServerOptions::new().tls(&server)).await?;
    same!(tls_failure(&error), Some(TlsFailure::Handshake));
    Ok(())
}

async fn data(given: &Certificates, version: TlsVersion) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    client.set_versions(version, version)?;
    let Pair { left, right } = tls_with(&client, &server).await?;
    same!(
        left.writer.tls_info().map(|info| info.version),
        Some(version)
    );
    left.writer.write("a line\n")?;
    same!(right.reader.readline().await?, b"a line\n");
    let large = pattern(0, 3_000_000);
    right.writer.write(&large)?;
    check!(left.reader.readexactly(large.len()).await? == large);
    left.writer.close();
    left.writer.wait_closed().await?;
    same!(right.reader.read(1).await?, b"");
    check!(right.reader.at_eof());
    right.writer.close();
    right.writer.wait_closed().await?;
    Ok(())
}

async fn resumption(given: &Certificates) -> Result {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (client, server) = (given.client()?, given.server()?);
        client.set_versions(version, version)?;
        for resumed in [false, true] {
            let Pair { left, right } = tls_with(&client, &server).await?;
            same!(
                left.writer.tls_info().map(|info| info.resumed),
                Some(resumed)
            );
            same!(
                right.writer.tls_info().map(|info| info.resumed),
                Some(resumed)
            );
            // The ticket arrives with the first bytes.
            right.writer.write("x")?;
            same!(left.reader.read(1).await?, b"x");
        }
        server.set_resumption(false)?;
        let Pair { left, .. } = tls_with(&client, &server).await?;
        same!(left.writer.tls_info().map(|info| info.resumed), Some(false));
    }
    Ok(())
}

async fn half_close(given: &Certificates) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    let Pair { left, right } = tls_with(&client, &server).await?;
    check!(left.writer.can_write_eof());
    left.writer.write("question")?;
    left.writer.write_eof()?;
    same!(right.reader.read_to_end().await?, b"question");
    right.writer.write("answer")?;
    right.writer.write_eof()?;
    same!(left.reader.read_to_end().await?, b"answer");

    client.set_versions(TlsVersion::Tls12, TlsVersion::Tls12)?;
    let Pair { left, right } = tls_with(&client, &server).await?;
    check!(!left.writer.can_write_eof());
    matching!(left.writer.write_eof(), Err(Error::NotSupported(_)));
    left.writer.write("goes on")?;
    same!(right.reader.readexactly(7).await?, b"goes on");
    Ok(())
}

async fn closing(given: &Certificates) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    client.set_wait_for_peer(true)?;
    let Pair { left, right } = tls_with(&client, &server).await?;
    left.writer.close();
    same!(right.reader.read(1).await?, b"");
    right.writer.close();
    right.writer.wait_closed().await?;
    left.writer.wait_closed().await?;
    // A peer that does not answer.
    client.set_shutdown_timeout(std::time::Duration::from_millis(50))?;
    let Pair { left, right } = tls_with(&client, &server).await?;
    left.writer.close();
    matching!(
        left.writer.wait_closed().await,
        Err(Error::DeadlineExceeded)
    );
    drop(right);
    // A peer that vanishes.
    client.set_wait_for_peer(false)?;
    let Pair { left, right } = tls_with(&client, &server).await?;
    right.writer.write("begin")?;
    right.writer.flush().await?;
    right.writer.abort();
    same!(left.reader.readexactly(5).await?, b"begin");
    let error = left.reader.read(1).await;
    match error {
        Err(Error::Network(_)) => {}
        Err(error) => same!(tls_failure(&error), Some(TlsFailure::Truncated)),
        Ok(bytes) => same!(bytes, b"an error"),
    }
    Ok(())
}

async fn names(given: &Certificates) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    let server = ServerOptions::new().tls(&server);
    let left = ConnectOptions::new().tls(&client);
    // The host is verified, unless another name is set.
    let error = refused(&left, &server).await?;
    let wrong = TlsFailure::Certificate(CertificateFailure::NameMismatch);
    same!(tls_failure(&error), Some(wrong));
    tcp_with(&left.server_name(SERVER), &server).await?;
    let any = ClientConfig::new();
    any.dangerous_accept_any_certificate()?;
    tcp_with(&ConnectOptions::new().tls(&any), &server).await?;
    // A server needs a certificate, and a client needs roots.
    let nobody = ClientConfig::new();
    nobody.set_built_in_roots(false)?;
    for options in [
        ConnectOptions::new().tls(&nobody),
        ConnectOptions::new()
            .tls(&given.client()?)
            .server_name("no name"),
    ] {
        matching!(options.to_raw(), Err(Error::InvalidArgument(_)));
    }
    let nameless = ServerOptions::new().tls(&ServerConfig::new());
    matching!(nameless.to_raw(), Err(Error::InvalidArgument(_)));
    upgraded(&client, &given.server()?).await?;
    Ok(())
}
