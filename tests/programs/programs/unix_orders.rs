//! Unix sockets towards peers of other languages: `connect PATH`, `serve PATH [MODE]`. A failure is printed, by its code.
//!
//! A path that begins with `@` is an abstract name.

use asyncio_streams::{Error, ServerOptions, cli, open_unix_connection};
use asyncio_streams_test_programs::{Failure, Result};

asyncio_streams::run!(main);

async fn main() -> Result {
    let arguments = cli::arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["connect", path] => connect(path).await,
        ["serve", path] => serve(path, None).await,
        ["serve", path, mode] => {
            let mode = u32::from_str_radix(mode, 8)
                .map_err(|error| Failure::new(format!("{mode}: {error}")))?;
            serve(path, Some(mode)).await
        }
        _ => return Err(Failure::new("unknown orders")),
    };
    match done {
        Ok(()) => Ok(()),
        Err(error) => {
            let code = match &error {
                Error::Network(network) => format!("{:?}", network.code),
                Error::InvalidArgument(_) => "InvalidArgument".into(),
                Error::NotSupported(_) => "NotSupported".into(),
                _ => "another error".into(),
            };
            cli::println(format!("{code}: {error}")).await?;
            Ok(())
        }
    }
}

fn bytes(path: &str) -> Vec<u8> {
    match path.strip_prefix('@') {
        Some(name) => [&[0], name.as_bytes()].concat(),
        None => path.as_bytes().to_vec(),
    }
}

/// Says hello, prints each line of the answer, and ends with the peer.
async fn connect(path: &str) -> core::result::Result<(), Error> {
    let (reader, writer) = open_unix_connection(bytes(path)).await?;
    writer.send("hello\n").await?;
    writer.write_eof()?;
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await? {
        cli::println(cli::escaped(line.trim_ascii_end())).await?;
    }
    writer.close();
    writer.wait_closed().await
}

/// Echoes lines to each client, and closes after a line `quit`.
async fn serve(path: &str, mode: Option<u32>) -> core::result::Result<(), Error> {
    let mut options = ServerOptions::new();
    if let Some(mode) = mode {
        options = options.mode(mode);
    }
    let server = options.start_unix_server(bytes(path)).await?;
    cli::println("listening").await?;
    let own = &server;
    server
        .serve_forever(async |reader, writer| {
            loop {
                let line = reader.readline().await?;
                if line == b"quit\n" {
                    own.close();
                }
                if line.is_empty() || line == b"quit\n" {
                    writer.close();
                    return writer.wait_closed().await;
                }
                if line == b"who\n" {
                    let who = writer.peer_credentials();
                    let process = who.and_then(|who| who.process).unwrap_or_default();
                    writer.send(format!("{process}\n")).await?;
                } else {
                    writer.send(line).await?;
                }
            }
        })
        .await
}
