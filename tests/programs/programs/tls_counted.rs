//! The memory of TLS counts until it is freed: after a failed handshake, for an upgrade that never started, and for
//! the bytes that belong to it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use asyncio_streams::{
    ClientConfig, ConnectOptions, Error, NetworkCode, ServerConfig, ServerOptions, Wanted,
    open_connection, spawn, timeout,
};
use asyncio_streams_test_programs::{
    Certificates, Pair, Result, SERVER, Side, check, clog, matching, pending, port, same, tcp,
    tls_failure,
};

asyncio_streams::run!(main);

/// How long to check that the server accepts no client. A failed handshake's connection stays for 2 s.
const NOBODY: Duration = Duration::from_millis(300);

const GARBAGE: &str = "GET / HTTP/1.0\r\n\r\n";

/// Bytes that are buffered for an upgrade, and more connections than can buffer so many.
const EARLY: usize = 60 << 20;
const GREEDY: usize = 10;

async fn main() -> Result {
    let given = Certificates::from_arguments(0)?;
    handshake(&given.server()?, &given.client()?).await?;
    silent(&given.server()?).await?;
    upgrade(&given.server()?).await?;
    upgrade_that_never_began(&given.server()?).await?;
    early(&given.server()?).await
}

/// A client that does not use TLS keeps its place until it is gone, or until the server has waited long enough.
async fn handshake(config: &ServerConfig, client: &ClientConfig) -> Result {
    let options = ServerOptions::new().max_connections(1).tls(config);
    let server = options.start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let accepting = spawn(async move { server.accept().await });
    let wrong: Side = open_connection("127.0.0.1", port).await?.into();
    wrong.writer.write(GARBAGE)?;
    check!(!wrong.reader.read(100).await?.is_empty());

    let options = ConnectOptions::new().tls(client).server_name(SERVER);
    let mut opening = pin!(options.open_connection("127.0.0.1", port));
    matching!(timeout(NOBODY, opening.as_mut()).await, Err(_));
    drop(wrong);
    opening.await?;
    check!(accepting.await.is_some_and(|accepted| accepted.is_ok()));
    Ok(())
}

/// The idle timeout covers the handshake.
async fn silent(config: &ServerConfig) -> Result {
    let options = ServerOptions::new().tls(config).idle_timeout(NOBODY);
    let server = options.start_server(["127.0.0.1"], 0).await?;
    let silent: Side = open_connection("127.0.0.1", port(&server)?).await?.into();
    let mut accept = pin!(server.accept());
    pending(accept.as_mut())?;
    let ended = timeout(Duration::from_secs(30), silent.reader.read(1)).await?;
    check!(!matches!(ended, Ok(bytes) if !bytes.is_empty()));
    pending(accept.as_mut())
}

async fn upgrade(config: &ServerConfig) -> Result {
    let options = ServerOptions::new().max_connections(1);
    let server = options.start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let near: Side = open_connection("127.0.0.1", port).await?.into();
    let far: Side = server.accept().await?.into();
    near.writer.write(GARBAGE)?;
    let upgraded = far.writer.start_tls_server(&far.reader, config).await;
    check!(upgraded.err().as_ref().and_then(tls_failure).is_some());
    drop(far);
    let next: Side = open_connection("127.0.0.1", port).await?.into();
    matching!(timeout(NOBODY, server.accept()).await, Err(_));
    drop(near);
    let far: Side = server.accept().await?.into();
    far.writer.send("welcome\n").await?;
    same!(next.reader.readline().await?, b"welcome\n");
    Ok(())
}

/// The upgrade waits for queued bytes, and is cancelled meanwhile: nothing of the connection is kept.
async fn upgrade_that_never_began(config: &ServerConfig) -> Result {
    let options = ServerOptions::new().max_connections(1);
    let server = options.start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let near: Side = open_connection("127.0.0.1", port).await?.into();
    let far: Side = server.accept().await?.into();
    clog(&far.writer)?;
    {
        let mut upgrading = pin!(far.writer.start_tls_server(&far.reader, config));
        matching!(timeout(NOBODY, upgrading.as_mut()).await, Err(_));
    }
    matching!(far.writer.wait_closed().await, Err(Error::Closed));
    let next: Side = open_connection("127.0.0.1", port).await?.into();
    let accepted = timeout(Duration::from_secs(20), server.accept()).await??;
    accepted.1.send("welcome\n").await?;
    same!(next.reader.readline().await?, b"welcome\n");
    drop((near, far));
    Ok(())
}

/// Sends enough that `right` buffers it; returns an error if that is refused.
async fn fill(left: &Side, right: &Side) -> Result<std::result::Result<(), Error>> {
    let sending = async {
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..EARLY / piece.len() {
            left.writer.send(&piece).await?;
        }
        Ok::<_, Error>(())
    };
    let waiting = right.reader.wait(Wanted::Exactly(EARLY as u32));
    Ok(match futures::future::try_join(sending, waiting).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    })
}

type Upgrade = Pin<Box<dyn Future<Output = std::result::Result<(), Error>>>>;

/// Bytes that were read before an upgrade count as before while it has not started.
async fn early(config: &ServerConfig) -> Result {
    let mut greedy: Vec<(Side, Upgrade)> = Vec::new();
    let bound = loop {
        check!(greedy.len() < GREEDY, "there is no bound");
        let Pair { left, right } = tcp().await?;
        if let Err(error) = fill(&left, &right).await? {
            break error;
        }
        clog(&right.writer)?;
        let config = config.clone();
        let mut upgrading: Upgrade = Box::pin(async move {
            let Side { reader, writer } = &right;
            writer.start_tls_server(reader, &config).await
        });
        pending(upgrading.as_mut())?;
        greedy.push((left, upgrading));
    };
    let of_all = |error: &Error| {
        *error == Error::BufferFull
            || matches!(error, Error::Network(error) if error.code == NetworkCode::OutOfResources)
    };
    check!(of_all(&bound), "{bound:?}");
    drop(greedy);

    let Pair { left, right } = tcp().await?;
    fill(&left, &right).await??;
    Ok(())
}
