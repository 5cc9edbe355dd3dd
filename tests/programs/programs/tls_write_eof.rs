//! `write-eof` on protected connections in every state: TLS 1.2 cannot end one direction, but an error of the
//! connection is reported first.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{
    ConnectOptions, Error, ServerOptions, TlsVersion, Waits, Writer, byte_stream,
};
use asyncio_streams_test_programs::{
    Certificates, Failure, Pair, Result, SERVER, check, clog, matching, pending, same, tcp_with,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let given = Certificates::from_arguments(0)?;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        open(pair(&given, version).await?, version).await?;
        busy(pair(&given, version).await?).await?;
        closing(pair(&given, version).await?).await?;
        closed(pair(&given, version).await?).await?;
        aborted(pair(&given, version).await?).await?;
        overdue(pair(&given, version).await?).await?;
        lost(pair(&given, version).await?).await?;
    }
    Ok(())
}

async fn pair(given: &Certificates, version: TlsVersion) -> Result<Pair> {
    let config = given.client()?;
    config.set_versions(version, version)?;
    let left = ConnectOptions::new()
        .tls(&config)
        .server_name(SERVER)
        .close_deadline(Some(Duration::from_millis(100)));
    tcp_with(&left, &ServerOptions::new().tls(&given.server()?)).await
}

async fn open(Pair { left, right }: Pair, version: TlsVersion) -> Result {
    let can = version == TlsVersion::Tls13;
    same!(left.writer.can_write_eof(), can);
    for _ in 0..2 {
        match left.writer.write_eof() {
            Ok(()) => check!(can),
            Err(error) => {
                check!(!can);
                matching!(error, Error::NotSupported(_));
            }
        }
    }
    if can {
        matching!(left.writer.write("x"), Err(Error::WriteAfterEof));
        same!(right.reader.read(1).await?, b"");
    } else {
        left.writer.write("x")?;
        same!(right.reader.read(1).await?, b"x");
    }
    Ok(())
}

async fn busy(Pair { left, .. }: Pair) -> Result {
    let (_producer, data) = byte_stream();
    let mut sending = pin!(left.writer.write_stream(data));
    pending(sending.as_mut())?;
    matching!(left.writer.write_eof(), Err(Error::Busy));
    left.writer.close();
    matching!(left.writer.write_eof(), Err(Error::Busy));
    left.writer.cancel(Waits::WRITE_STREAM);
    check!(sending.await.1.is_err());
    ok(&left.writer)
}

async fn closing(Pair { left, right }: Pair) -> Result {
    clog(&left.writer)?;
    left.writer.close();
    check!(left.writer.write_buffer_size() > 0);
    ok(&left.writer)?;
    matching!(left.writer.write("x"), Err(Error::Closed));
    drop(right);
    Ok(())
}

async fn closed(Pair { left, right }: Pair) -> Result {
    left.writer.write("x")?;
    left.writer.close();
    ok(&left.writer)?;
    left.writer.wait_closed().await?;
    ok(&left.writer)?;
    same!(right.reader.read_to_end().await?, b"x");
    Ok(())
}

async fn aborted(Pair { left, .. }: Pair) -> Result {
    left.writer.abort();
    matching!(left.writer.write_eof(), Err(Error::Closed));
    left.writer.close();
    matching!(left.writer.write_eof(), Err(Error::Closed));
    Ok(())
}

async fn overdue(Pair { left, right }: Pair) -> Result {
    clog(&left.writer)?;
    left.writer.close();
    matching!(
        left.writer.wait_closed().await,
        Err(Error::DeadlineExceeded)
    );
    matching!(left.writer.write_eof(), Err(Error::Closed));
    drop(right);
    Ok(())
}

async fn lost(Pair { left, right }: Pair) -> Result {
    // Unread input makes its close a reset.
    left.writer.send("unread").await?;
    left.writer.flush().await?;
    right.reader.wait(asyncio_streams::Wanted::Any).await?;
    left.writer.send([b'x'; 100_000]).await?;
    right.writer.abort();
    let reason = loop {
        if let Err(error) = left.writer.send([b'x'; 100_000]).await {
            break error;
        }
    };
    for _ in 0..2 {
        let Err(error) = left.writer.write_eof() else {
            return Err(Failure::new("ok after a loss"));
        };
        same!(error, reason.clone());
        left.writer.close();
    }
    Ok(())
}

fn ok(writer: &Writer) -> Result {
    for _ in 0..2 {
        writer.write_eof()?;
    }
    Ok(())
}
