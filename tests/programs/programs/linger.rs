//! Sends, closes, and ends; the peer acts later. Arguments: a port (0 to listen), the action, the version of TLS
//! (`plain` for none), and an authority, a chain and a key.
//!
//! It prints its port if it listens, and `closed` when only its end is left.

use asyncio_streams::{ConnectOptions, ServerOptions, TlsVersion, cli};
use asyncio_streams_test_programs::{
    Certificates, Failure, Result, SERVER, Side, matching, pattern, peer_port, peer_with, port,
    same,
};

asyncio_streams::run!(main);

const MUCH: usize = 400_000;

async fn main() -> Result {
    let arguments = cli::arguments();
    let argument = |index: usize| arguments.get(index).map_or("", String::as_str);
    let Side { reader, writer } = connect(argument(2)).await?;
    match argument(1) {
        "upload" => {
            writer.write(pattern(0, MUCH))?;
            writer.close();
            writer.wait_closed().await?;
        }
        "drop" => {
            writer.write(pattern(0, MUCH))?;
            writer.flush().await?;
            drop(writer);
            drop(reader);
        }
        "ask" => {
            writer.write("question\n")?;
            same!(reader.readline().await?, b"answer\n");
            writer.close();
            writer.wait_closed().await?;
        }
        "nothing" => {
            writer.close();
            writer.wait_closed().await?;
        }
        "abort" => {
            writer.write(pattern(0, MUCH))?;
            writer.abort();
            matching!(
                writer.wait_closed().await,
                Err(asyncio_streams::Error::Closed)
            );
        }
        other => return Err(Failure::new(format_args!("not to be done: {other:?}"))),
    }
    Ok(cli::println("closed").await?)
}

async fn connect(version: &str) -> Result<Side> {
    let version = match version {
        "1.2" => Some(TlsVersion::Tls12),
        "1.3" => Some(TlsVersion::Tls13),
        _ => None,
    };
    if peer_port(0)? == 0 {
        let mut options = ServerOptions::new();
        if let Some(version) = version {
            let config = Certificates::from_arguments(3)?.server()?;
            config.set_versions(version, version)?;
            options = options.tls(&config);
        }
        let server = options.start_server(["127.0.0.1"], 0).await?;
        cli::println(port(&server)?.to_string()).await?;
        return Ok(server.accept().await?.into());
    }
    let mut options = ConnectOptions::new();
    if let Some(version) = version {
        let config = Certificates::from_arguments(3)?.client()?;
        config.set_versions(version, version)?;
        options = options.tls(&config).server_name(SERVER);
    }
    peer_with(&options).await
}
