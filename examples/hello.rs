//! Hello World: an echo server, and a client that talks to it, in one program.
//!
//! The README builds and runs it in a crate of its own: `cargo add`, `cargo rustc`, `wasmtime run`.

use asyncio_streams::{Error, Reader, Writer, cli, open_connection, run, spawn, start_server};

run!(main);

async fn main() -> Result<(), Error> {
    // Port 0 asks the system for a free port.
    let server = start_server(["127.0.0.1"], 0).await?;
    let (rx, tx) = open_connection("127.0.0.1", server.sockets()[0].port().unwrap_or(0)).await?;
    let echo = async |reader: Reader, writer: Writer| writer.write(reader.readline().await?);
    let _serving = spawn(async move { server.serve_forever(echo).await });
    tx.write("Hello World!\n")?;
    cli::println(cli::escaped(rx.readline().await?.trim_ascii_end())).await
}
