//! The messages about faulty certificates, keys and names. Arguments, in threes: the action, and its two inputs.
//!
//! It prints one line for each three: the message, or `ok`. Bytes that are not text are given in hexadecimal, after
//! `hex:`.

use asyncio_streams::{ClientConfig, ConnectOptions, Error, ServerConfig, cli};
use asyncio_streams_test_programs::{Failure, Result};

asyncio_streams::run!(main);

async fn main() -> Result {
    let arguments = cli::arguments();
    for three in arguments.chunks(3) {
        let [what, first, second] = three else {
            return Err(Failure::new("the arguments come in threes"));
        };
        let said = match said(what, &bytes(first)?, &bytes(second)?).await {
            Ok(()) => "ok".into(),
            Err(Error::InvalidArgument(message)) => message,
            Err(Error::Tls(error)) => error.message,
            Err(Error::Network(error)) => error.message,
            Err(error) => return Err(error.into()),
        };
        // A message is always one line.
        if said.contains(|c: char| c.is_control()) {
            return Err(Failure::new("a message with a control character"));
        }
        cli::println(said).await?;
    }
    Ok(())
}

async fn said(what: &str, first: &[u8], second: &[u8]) -> std::result::Result<(), Error> {
    let (client, server) = (ClientConfig::new(), ServerConfig::new());
    let text = String::from_utf8_lossy(first);
    match what {
        "roots" => client.add_roots(first).map(drop),
        "client roots" => server.add_client_roots(first).map(drop),
        "client" => client.set_certificate(first, second),
        "server" => server.add_certificate(first, second),
        "alpn" => client.set_alpn(&[&text, &String::from_utf8_lossy(second)]),
        "name" => {
            let options = ConnectOptions::new().tls(&client).server_name(&text);
            options.to_raw().map(drop)
        }
        "no roots" => {
            client.set_built_in_roots(false)?;
            ConnectOptions::new().tls(&client).to_raw().map(drop)
        }
        // The message about the server at that port; its certificate should be for `server.test` and signed by that
        // authority.
        _ => {
            client.set_built_in_roots(false)?;
            client.add_roots(first)?;
            let options = ConnectOptions::new().tls(&client);
            let options = options.server_name(&String::from_utf8_lossy(second));
            let port = what.parse().unwrap_or_default();
            let (reader, _writer) = options.open_connection("127.0.0.1", port).await?;
            reader.read(1).await.map(drop)
        }
    }
}

fn bytes(argument: &str) -> Result<Vec<u8>> {
    let Some(digits) = argument.strip_prefix("hex:") else {
        return Ok(argument.as_bytes().to_vec());
    };
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
    bytes.ok_or_else(|| Failure::new("no hexadecimal digits"))
}
