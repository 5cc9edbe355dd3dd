//! Sends a line to an echo server and prints what comes back. Argument: the server's address, `127.0.0.1:8888`.
//!
//! asyncio's tutorial has the same program. Here every call blocks, so that it needs no event loop: it runs on hosts of
//! WASI 0.2.

use asyncio_streams_blocking_examples::streams::{ConnectOptions, Error, open_connection};
use asyncio_streams_blocking_examples::wasi02::{self, wasi::cli::environment::get_arguments};
use asyncio_streams_blocking_examples::{host_and_port, print};

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

struct Client;

wasi02::export!(Client);

impl wasi02::exports::wasi::cli::run::Guest for Client {
    fn run() -> Result<(), ()> {
        let Some((host, port)) = host_and_port(get_arguments().get(1)) else {
            print("usage: echo-client HOST:PORT");
            return Err(());
        };
        talk(&host, port).map_err(|error| print(&format!("{host}: {error:?}")))
    }
}

fn talk(host: &str, port: u16) -> Result<(), Error> {
    let options = ConnectOptions::new();
    options.set_deadline(Some(10 * SECOND));
    let (reader, writer) = open_connection(host, port, Some(&options))?;

    print("Send: Hello World!");
    writer.write(b"Hello World!\n")?;

    // A read sends what was written before it waits.
    let line = reader.readline(Some(10 * SECOND))?;
    print(&format!(
        "Received: {}",
        String::from_utf8_lossy(&line).trim_end()
    ));

    print("Close the connection");
    writer.close();
    writer.wait_closed(Some(10 * SECOND))
}
