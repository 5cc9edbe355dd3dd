//! A server for outside peers that echoes lines. Arguments: `accept` or `upgrade`, a chain, its key, roots for
//! clients' certificates, the seconds for a handshake, and `wait` to wait for the peer when it closes.
//!
//! It prints its address, and for each client the handshake's result or failure, and how it ended.

use std::time::Duration;

use asyncio_streams::{
    ClientAuthentication, Error, Reader, ServerConfig, ServerOptions, TlsInfo, Writer, cli, spawn,
};
use asyncio_streams_test_programs::{Result, port};

asyncio_streams::run!(main);

async fn main() -> Result {
    let arguments = cli::arguments();
    let argument = |index: usize| arguments.get(index).map_or("", String::as_str);
    let config = ServerConfig::new();
    config.add_certificate(argument(1), argument(2))?;
    config.set_alpn(&["line", "http/1.1"])?;
    if !argument(3).is_empty() {
        config.add_client_roots(argument(3))?;
        config.set_client_authentication(ClientAuthentication::Required)?;
    }
    if let Ok(seconds) = argument(4).parse() {
        config.set_handshake_timeout(Duration::from_secs_f64(seconds))?;
    }
    if argument(5) == "wait" {
        config.set_wait_for_peer(true)?;
    }
    let upgrade = argument(0) == "upgrade";
    let options = if upgrade {
        ServerOptions::new()
    } else {
        ServerOptions::new().tls(&config)
    };
    let server = options.start_server(["127.0.0.1"], 0).await?;
    cli::println(port(&server)?.to_string()).await?;
    loop {
        let (reader, writer) = server.accept().await?;
        let config = upgrade.then(|| config.clone());
        drop(spawn(async move {
            let said = match serve(reader, writer, config).await {
                Ok(()) => "end".into(),
                Err(Error::Tls(error)) => format!("{:?}", error.failure),
                Err(error) => format!("{error:?}"),
            };
            // The reader of the output may be gone already.
            let _ = cli::println(said).await;
        }));
    }
}

async fn serve(
    reader: Reader,
    writer: Writer,
    config: Option<ServerConfig>,
) -> std::result::Result<(), Error> {
    if let Some(config) = config {
        writer.start_tls_server(&reader, &config).await?;
    }
    if let Some(info) = writer.tls_info() {
        // As above.
        let _ = cli::println(describe(info)).await;
    }
    loop {
        let line = reader.readline().await?;
        if line.is_empty() {
            break;
        }
        writer.send(line).await?;
    }
    writer.close();
    writer.wait_closed().await
}

fn describe(info: TlsInfo) -> String {
    format!(
        "{:?} {} {} {} {}",
        info.version,
        info.suite,
        info.alpn.unwrap_or_default(),
        info.server_name.unwrap_or_default(),
        info.peer_certificates.len()
    )
}
