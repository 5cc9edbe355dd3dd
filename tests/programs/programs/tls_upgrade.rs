//! `start-tls` on connections in use: its refusals, the bytes that it carries over, and its failures.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{CertificateFailure, Error, TlsFailure, spawn};
use asyncio_streams_test_programs::{
    Certificates, Failure, Pair, Result, SERVER, Side, check, matching, memory, pending, same, tcp,
    tls_failure,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let given = Certificates::from_arguments(0)?;
    refusals(&given).await?;
    injected(&given).await?;
    early(&given).await?;
    ended(&given).await?;
    queued(&given).await?;
    failures(&given).await?;
    late_and_cancelled(&given).await
}

/// Upgrades both sides and lets them talk.
async fn talk(given: &Certificates, left: &Side, right: &Side) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    let (one, other) = futures::join!(
        left.writer.start_tls(&left.reader, &client, SERVER),
        right.writer.start_tls_server(&right.reader, &server)
    );
    one?;
    other?;
    left.writer.write("secret\n")?;
    same!(right.reader.readline().await?, b"secret\n");
    right.writer.write("answer\n")?;
    same!(left.reader.readline().await?, b"answer\n");
    Ok(())
}

async fn refusals(given: &Certificates) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    let Pair { left, right } = tcp().await?;
    let other = tcp().await?;
    check!(left.writer.tls_info().is_none());
    matching!(
        left.writer
            .start_tls(&other.left.reader, &client, SERVER)
            .await,
        Err(Error::InvalidArgument(_))
    );
    for name in ["", "no name"] {
        matching!(
            left.writer.start_tls(&left.reader, &client, name).await,
            Err(Error::InvalidArgument(_))
        );
    }
    {
        let mut reading = pin!(left.reader.read(1));
        pending(reading.as_mut())?;
        matching!(
            left.writer.start_tls(&left.reader, &client, SERVER).await,
            Err(Error::Busy)
        );
    }
    // The connection is unchanged.
    right.writer.write("plain\n")?;
    same!(left.reader.readline().await?, b"plain\n");
    {
        // While it is pending, all other reads and writes are refused.
        let mut upgrading = pin!(left.writer.start_tls(&left.reader, &client, SERVER));
        pending(upgrading.as_mut())?;
        matching!(left.reader.read(1).await, Err(Error::Busy));
        matching!(left.writer.write("x"), Err(Error::Busy));
        matching!(left.writer.write_eof(), Err(Error::Busy));
        matching!(left.reader.discard(1), Err(Error::Busy));
        let (one, two) = futures::join!(
            upgrading,
            right.writer.start_tls_server(&right.reader, &server)
        );
        one?;
        two?;
    }
    matching!(
        left.writer.start_tls(&left.reader, &client, SERVER).await,
        Err(Error::NotSupported(_))
    );
    left.writer.write("still there\n")?;
    same!(right.reader.readline().await?, b"still there\n");

    other.left.writer.write_eof()?;
    matching!(
        other
            .left
            .writer
            .start_tls(&other.left.reader, &client, SERVER)
            .await,
        Err(Error::WriteAfterEof)
    );
    other.right.writer.close();
    matching!(
        other
            .right
            .writer
            .start_tls_server(&other.right.reader, &server)
            .await,
        Err(Error::Closed)
    );
    Ok(())
}

/// Bytes from before TLS are not treated as protected.
async fn injected(given: &Certificates) -> Result {
    let client = given.client()?;
    for pair in [tcp().await?, memory().await?] {
        let Pair { left, right } = pair;
        right.writer.write("220 ready\n250 injected\n")?;
        same!(left.reader.readline().await?, b"220 ready\n");
        let refused = left.writer.start_tls(&left.reader, &client, SERVER).await;
        same!(
            refused.err().as_ref().and_then(tls_failure),
            Some(TlsFailure::PlaintextPending)
        );
        // The connection is unchanged: the bytes can be read, and then it continues.
        same!(left.reader.readline().await?, b"250 injected\n");
        talk(given, &left, &right).await?;
    }
    Ok(())
}

/// A client that does not wait for the answer: its handshake is already in the server's buffer.
async fn early(given: &Certificates) -> Result {
    let client = given.client()?;
    let Pair { left, right } = tcp().await?;
    left.writer.write("STARTTLS\n")?;
    let task = spawn(async move {
        let upgraded = left.writer.start_tls(&left.reader, &client, SERVER).await;
        (upgraded, left)
    });
    same!(right.reader.readline().await?, b"STARTTLS\n");
    right
        .reader
        .wait(asyncio_streams::Wanted::Exactly(100))
        .await?;
    check!(right.reader.buffered() > 0);
    right
        .writer
        .start_tls_server(&right.reader, &given.server()?)
        .await?;
    let Some((upgraded, left)) = task.await else {
        return Err(Failure::new("it was cancelled"));
    };
    upgraded?;
    left.writer.write("x")?;
    same!(right.reader.read(1).await?, b"x");
    Ok(())
}

/// The peer has ended its side, so it cannot answer a handshake: its bytes stay readable.
async fn ended(given: &Certificates) -> Result {
    let Pair { left, right } = tcp().await?;
    left.writer.write("last words")?;
    left.writer.write_eof()?;
    right
        .reader
        .wait(asyncio_streams::Wanted::Exactly(100))
        .await?;
    matching!(
        right
            .writer
            .start_tls_server(&right.reader, &given.server()?)
            .await,
        Err(Error::Closed)
    );
    same!(right.reader.read_to_end().await?, b"last words");
    Ok(())
}

/// Queued bytes are sent before, unprotected.
async fn queued(given: &Certificates) -> Result {
    let (client, server) = (given.client()?, given.server()?);
    let Pair { left, right } = tcp().await?;
    let large = vec![b'p'; 2_000_000];
    left.writer.write(&large)?;
    let upgrade = left.writer.start_tls(&left.reader, &client, SERVER);
    let serve = async {
        check!(right.reader.readexactly(large.len()).await? == large);
        Ok::<_, Failure>(
            right
                .writer
                .start_tls_server(&right.reader, &server)
                .await?,
        )
    };
    let (one, two) = futures::join!(upgrade, serve);
    one?;
    two
}

async fn failures(given: &Certificates) -> Result {
    let stranger = asyncio_streams::ClientConfig::new();
    let server = given.server()?;
    let Pair { left, right } = tcp().await?;
    let (one, two) = futures::join!(
        left.writer.start_tls(&left.reader, &stranger, SERVER),
        right.writer.start_tls_server(&right.reader, &server)
    );
    // One side has decided so, the other received an alert.
    let unknown = TlsFailure::Certificate(CertificateFailure::UnknownIssuer);
    for error in [one.err(), two.err()] {
        same!(error.as_ref().and_then(tls_failure), Some(unknown));
    }
    // Later calls return the same.
    for side in [&left, &right] {
        let read = side.reader.read(1).await.err();
        same!(read.as_ref().and_then(tls_failure), Some(unknown));
        let write = side.writer.write("x").err();
        same!(write.as_ref().and_then(tls_failure), Some(unknown));
        let closed = side.writer.wait_closed().await.err();
        same!(closed.as_ref().and_then(tls_failure), Some(unknown));
    }
    // A peer that does not use TLS.
    let Pair { left, right } = tcp().await?;
    right.writer.write("HTTP/1.1 400 Bad Request\r\n\r\n")?;
    right.writer.flush().await?;
    let error = left
        .writer
        .start_tls(&left.reader, &given.client()?, SERVER)
        .await;
    same!(
        error.err().as_ref().and_then(tls_failure),
        Some(TlsFailure::Protocol)
    );
    // A peer that leaves.
    let Pair { left, right } = tcp().await?;
    right.writer.close();
    let error = left
        .writer
        .start_tls(&left.reader, &given.client()?, SERVER)
        .await;
    same!(
        error.err().as_ref().and_then(tls_failure),
        Some(TlsFailure::Handshake)
    );
    Ok(())
}

async fn late_and_cancelled(given: &Certificates) -> Result {
    let client = given.client()?;
    client.set_handshake_timeout(Duration::from_millis(50))?;
    matching!(
        client.set_handshake_timeout(Duration::ZERO),
        Err(Error::InvalidArgument(_))
    );
    let Pair { left, right } = tcp().await?;
    matching!(
        left.writer.start_tls(&left.reader, &client, SERVER).await,
        Err(Error::DeadlineExceeded)
    );
    matching!(
        left.writer.write("x"),
        Err(Error::Closed | Error::DeadlineExceeded)
    );
    check!(
        right
            .reader
            .read_to_end()
            .await
            .is_ok_and(|hello| !hello.is_empty())
    );

    let client = given.client()?;
    let Pair { left, right } = tcp().await?;
    {
        let mut upgrading = pin!(left.writer.start_tls(&left.reader, &client, SERVER));
        pending(upgrading.as_mut())?;
    }
    matching!(left.writer.wait_closed().await, Err(Error::Closed));
    drop(right);
    // Closing meanwhile ends it too.
    let Pair { left, right } = tcp().await?;
    {
        let mut upgrading = pin!(left.writer.start_tls(&left.reader, &client, SERVER));
        pending(upgrading.as_mut())?;
        left.writer.abort();
        matching!(upgrading.await, Err(Error::Closed));
    }
    drop(right);
    Ok(())
}
