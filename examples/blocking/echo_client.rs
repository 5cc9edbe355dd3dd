//! Sends a line to an echo server and prints what comes back. Argument: the server's address, `127.0.0.1:8888`.
//!
//! asyncio's tutorial has the same program. Here every call blocks, so that it needs no event loop: it runs on hosts of
//! WASI 0.2.

use std::time::Duration;

use asyncio_streams::Error;
use asyncio_streams::blocking::{ConnectOptions, cli, open_connection, timeout};
use asyncio_streams::cli::escaped;
use asyncio_streams_blocking_examples::host_and_port;

asyncio_streams::run_blocking!(main);

fn main() -> Result<(), Error> {
    let (host, port) = host_and_port("usage: echo-client HOST:PORT")?;
    let soon = timeout(Duration::from_secs(10));
    let options = ConnectOptions::new();
    options.set_deadline(soon);
    let (reader, writer) = open_connection(&host, port, Some(&options))?;

    cli::println("Send: Hello World!");
    writer.write(b"Hello World!\n")?;

    // A read sends what was written before it waits.
    let line = reader.readline(soon)?;
    cli::println(format_args!("Received: {}", escaped(line.trim_ascii_end())));

    cli::println("Close the connection");
    writer.close();
    writer.wait_closed(soon)?;
    Ok(())
}
