//! TLS over a Unix socket, from the handshake to the end. The arguments are a path that is granted, and the certificates.

use asyncio_streams::{ConnectOptions, Error, ServerOptions, cli};
use asyncio_streams_test_programs::{
    Certificates, Result, SERVER, Side, check, matching, pattern, same,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let path = cli::arguments().into_iter().next().unwrap_or_default();
    let given = Certificates::from_arguments(1)?;
    let server = ServerOptions::new()
        .tls(&given.server()?)
        .start_unix_server(&path)
        .await?;
    let named = ConnectOptions::new()
        .tls(&given.client()?)
        .server_name(SERVER);
    let (left, right) = futures::join!(named.open_unix_connection(&path), server.accept());
    let (left, right): (Side, Side) = (left?.into(), right?.into());
    check!(left.writer.tls_info().is_some());
    check!(right.writer.peer_credentials().is_some());
    let bytes = pattern(0, 300_000);
    let (sent, received) = futures::join!(
        left.writer.send(&bytes),
        right.reader.readexactly(bytes.len())
    );
    sent?;
    check!(received? == bytes);
    right.writer.send("good bye\n").await?;
    right.writer.close();
    same!(left.reader.readline().await?, b"good bye\n");
    same!(left.reader.read(1).await?, b"");
    left.writer.close();
    left.writer.wait_closed().await?;

    // A path is no name for a certificate.
    let unnamed = ConnectOptions::new().tls(&given.client()?);
    matching!(
        unnamed.open_unix_connection(&path).await,
        Err(Error::InvalidArgument(_))
    );
    Ok(())
}
