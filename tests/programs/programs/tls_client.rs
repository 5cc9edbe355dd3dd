//! A client of outside peers. Arguments: the port, the name to verify, roots, a chain and its key to present, and
//! `wait` to wait for the peer when it closes.
//!
//! It prints the handshake's result, sends a line, and prints the answer, or the failure.

use asyncio_streams::{ClientConfig, ConnectOptions, Error, TlsInfo, TlsVersion, cli};
use asyncio_streams_test_programs::{Result, peer_port};

asyncio_streams::run!(main);

async fn main() -> Result {
    let said = match talk().await {
        Ok(said) => said,
        Err(Error::Tls(error)) => format!("{:?}", error.failure),
        Err(error) => format!("{error:?}"),
    };
    Ok(cli::println(said).await?)
}

async fn talk() -> std::result::Result<String, Error> {
    let arguments = cli::arguments();
    let argument = |index: usize| arguments.get(index).map_or("", String::as_str);
    let port = peer_port(0).map_err(|error| Error::InvalidArgument(error.to_string()))?;
    let config = ClientConfig::new();
    config.set_built_in_roots(false)?;
    config.add_roots(argument(2))?;
    config.set_alpn(&["line", "http/1.1"])?;
    if !argument(3).is_empty() {
        config.set_certificate(argument(3), argument(4))?;
    }
    if argument(5) == "wait" {
        config.set_wait_for_peer(true)?;
    }
    let options = ConnectOptions::new().tls(&config).server_name(argument(1));
    let (reader, writer) = options.open_connection("127.0.0.1", port).await?;
    writer.write("hello\n")?;
    let line = reader.readline().await?;
    let info = writer.tls_info();
    writer.close();
    writer.wait_closed().await?;
    let agreed = info.map_or_else(String::new, describe);
    Ok(format!(
        "{agreed} {}",
        String::from_utf8_lossy(&line).trim_end()
    ))
}

fn describe(info: TlsInfo) -> String {
    let version = match info.version {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    };
    format!("{version} {} {}", info.suite, info.alpn.unwrap_or_default())
}
