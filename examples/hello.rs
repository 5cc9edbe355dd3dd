//! Hello World: an echo server, and a client that talks to it, in one program.
//!
//! The README builds and runs it in a crate of its own: `cargo add`, `cargo rustc`, `wasmtime run`.

use asyncio_streams::{Error, Reader, Writer, cli, open_connection, run, spawn, start_server};

run!(main);

async fn main() -> Result<(), Error> {
    // Port 0 asks the system for a free port.
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = server.sockets()[0].port().unwrap_or_default();
    let _serving = spawn(async move { server.serve_forever(echo).await });

    let (reader, writer) = open_connection("127.0.0.1", port).await?;
    writer.write("Hello World!\n")?;
    writer.drain().await?;
    let line = reader.readline().await?;
    writer.close();
    writer.wait_closed().await?;
    cli::println(cli::escaped(line.trim_ascii_end())).await
}

async fn echo(reader: Reader, writer: Writer) -> Result<(), Error> {
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    writer.close();
    writer.wait_closed().await
}
