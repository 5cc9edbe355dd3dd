//! Get HTTP headers: sends a request to a web server, and prints the headers of the answer.
//!
//! From the folder of the checkout, after `cargo xtask build`, with a web server on port 8000
//! (`python3 -m http.server --bind 127.0.0.1` is one):
//!
//!     wac plug target/components/examples/http-headers.wasm --plug target/components/streams.wasm -o http-headers.wasm
//!     wasmtime run -S inherit-network -S allow-ip-name-lookup http-headers.wasm http://localhost:8000/
//!
//! `-S allow-ip-name-lookup` lets the program look up the name; an address needs no look-up.
//!
//! With `streams-tls.wasm` in place of `streams.wasm` it supports `https` too. It trusts the authorities that
//! browsers trust. To trust another server, put its certificate or its authority's into the environment: `--env
//! ROOTS="$(cat cert.pem)"`.

use std::error::Error;

use asyncio_streams::{ClientConfig, ConnectOptions, cli, run};

run!(main);

async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = cli::arguments();
    let url = arguments
        .first()
        .ok_or("usage: http-headers http[s]://HOST[:PORT][/PATH]")?;
    let (options, default_port, rest) = match url.split_once("://") {
        Some(("http", rest)) => (ConnectOptions::new(), "80", rest),
        Some(("https", rest)) => (ConnectOptions::new().tls(&config()?), "443", rest),
        _ => return Err("the URL begins neither with http:// nor with https://".into()),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = host_and_port(authority, default_port)?;

    let (reader, writer) = options.open_connection(host, port).await?;
    writer.write(format!(
        "HEAD /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n"
    ))?;

    // The headers end with an empty line, or with the connection.
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await? {
        match line.trim_ascii_end() {
            b"" => break,
            header => cli::println(format!("HTTP header> {}", cli::escaped(header))).await?,
        }
    }

    // Ignore a body, close the connection.
    writer.close();
    writer.wait_closed().await?;
    Ok(())
}

/// Trusts the authorities that browsers trust, and the certificates in the environment.
fn config() -> Result<ClientConfig, Box<dyn Error>> {
    let config = ClientConfig::new();
    for (name, value) in cli::variables() {
        if name == "ROOTS" {
            config.add_roots(value)?;
        }
    }
    Ok(config)
}

/// The part of a URL between `//` and the path: a name or an address, and a port if it is not the
/// default one.
fn host_and_port<'a>(
    authority: &'a str,
    default_port: &'a str,
) -> Result<(&'a str, u16), Box<dyn Error>> {
    // The colons of an IPv6 address are in brackets, before the colon of the port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, default_port),
    };
    let port = port
        .parse()
        .map_err(|_| format!("{port:?} is not a port"))?;
    Ok((host.trim_matches(['[', ']']), port))
}
