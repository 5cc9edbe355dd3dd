//! Get HTTP headers: asks a web server about a page, and prints the headers of the answer.
//!
//! From the folder of the checkout, after `cargo xtask build`, with a web server on port 8000
//! (`python3 -m http.server --bind 127.0.0.1` is one):
//!
//!     wac plug target/components/examples/http-headers.wasm --plug target/components/streams.wasm -o http-headers.wasm
//!     wasmtime run -S inherit-network -S allow-ip-name-lookup http-headers.wasm http://localhost:8000/
//!
//! `-S allow-ip-name-lookup` lets the program look up the name; an address in its place needs no
//! such leave.

use std::error::Error;

use asyncio_streams::{cli, open_connection, run};

run!(main);

async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = cli::arguments();
    let url = arguments
        .first()
        .ok_or("usage: http-headers http://HOST[:PORT][/PATH]")?;
    let rest = url
        .strip_prefix("http://")
        .ok_or("the URL does not begin with http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = host_and_port(authority)?;

    let (reader, writer) = open_connection(host, port).await?;
    writer.write(format!(
        "HEAD /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n"
    ))?;

    // The headers end with an empty line; the server may as well just close.
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await? {
        match line.trim_ascii_end() {
            b"" => break,
            header => {
                cli::println(format!("HTTP header> {}", String::from_utf8_lossy(header))).await?
            }
        }
    }

    // Ignore a body, close the connection.
    writer.close();
    writer.wait_closed().await?;
    Ok(())
}

/// The part of a URL between `//` and the path: a name or an address, and a port if it is not 80.
fn host_and_port(authority: &str) -> Result<(&str, u16), Box<dyn Error>> {
    // The colons of an IPv6 address stand in brackets, before the one of the port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "80"),
    };
    let port = port
        .parse()
        .map_err(|_| format!("{port:?} is not a port"))?;
    Ok((host.trim_matches(['[', ']']), port))
}
