//! A protected connection that its peer resets while this side writes: every call returns the same reason. Arguments:
//! a port (0 to listen), the pending read, the version of TLS, and an authority, a chain and a key.

use asyncio_streams::{
    ConnectOptions, Error, ServerOptions, TlsVersion, Waits, Writer, byte_stream, cli,
};
use asyncio_streams_test_programs::{
    Certificates, Failure, Result, SERVER, Side, check, matching, peer_port, peer_with, port, same,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let arguments = cli::arguments();
    let argument = |index: usize| arguments.get(index).map_or("", String::as_str);
    let version = match argument(2) {
        "1.2" => TlsVersion::Tls12,
        _ => TlsVersion::Tls13,
    };
    let Side { reader, writer } = connect(version).await?;
    // The peer resets when it has received this.
    let (written, read) = match argument(1) {
        "later" => {
            let written = until_lost(&writer).await;
            (written, reader.read(1).await.map(drop))
        }
        "meanwhile" => {
            let (written, read) = futures::join!(until_lost(&writer), reader.read(1));
            (written, read.map(drop))
        }
        "stream" => {
            let (mut data, end) = reader.into_stream().await?;
            let written = until_lost(&writer).await;
            let (result, bytes) = data.read(Vec::with_capacity(1)).await;
            check!(bytes.is_empty());
            check!(result == wit_bindgen::StreamResult::Dropped);
            (written, end.await)
        }
        other => return Err(Failure::new(format_args!("nothing reads: {other:?}"))),
    };
    let Err(reason) = writer.wait_closed().await else {
        return Err(Failure::new("the connection was not lost"));
    };
    matching!(&reason, Error::Network(_) | Error::Tls(_));
    let all = [
        ("the call that met it", Err(written)),
        ("read", read),
        ("write", writer.write("x")),
        ("drain", writer.drain().await),
        ("flush", writer.flush().await),
        ("write_eof", writer.write_eof()),
        ("wait_closed", {
            writer.close();
            writer.wait_closed().await
        }),
        ("write_stream", {
            let (_, data) = byte_stream();
            writer.write_stream(data).await.1
        }),
    ];
    for (what, result) in all {
        if result.as_ref() != Err(&reason) {
            return Err(Failure::new(format_args!(
                "{what} returns {result:?}, wait_closed {reason:?}"
            )));
        }
    }
    if argument(1) != "stream" {
        same!(reader.exception().as_ref(), Some(&reason));
        same!(reader.readline().await.err(), Some(reason.clone()));
    }
    writer.cancel(Waits::all());
    Ok(cli::println(format_args!("{reason:?}")).await?)
}

/// Writes until the connection fails.
async fn until_lost(writer: &Writer) -> Error {
    loop {
        if let Err(error) = writer.send([b'x'; 10_000]).await {
            return error;
        }
    }
}

async fn connect(version: TlsVersion) -> Result<Side> {
    let given = Certificates::from_arguments(3)?;
    if peer_port(0)? == 0 {
        let config = given.server()?;
        config.set_versions(version, version)?;
        let server = ServerOptions::new()
            .tls(&config)
            .start_server(["127.0.0.1"], 0)
            .await?;
        cli::println(port(&server)?.to_string()).await?;
        return Ok(server.accept().await?.into());
    }
    let config = given.client()?;
    config.set_versions(version, version)?;
    peer_with(&ConnectOptions::new().tls(&config).server_name(SERVER)).await
}
