//! TCP echo server: prints what clients send, and sends it back.
//!
//! From the folder of the checkout, after `cargo xtask build`:
//!
//!     wac plug target/components/serve.wasm --plug target/components/examples/echo-server.wasm -o part.wasm
//!     wac plug part.wasm --plug target/components/streams.wasm -o echo-server.wasm
//!     wasmtime run -S inherit-network echo-server.wasm 127.0.0.1:8888
//!
//! `serve.wasm` listens on the addresses in its arguments, and calls the function below for each client, all of them
//! concurrently.

use asyncio_streams::{Error, Reader, Writer, cli, serve};

serve!(handle_echo);

async fn handle_echo(reader: Reader, writer: Writer) -> Result<(), Error> {
    let client = writer
        .peername()
        .map_or_else(|| "a stream".to_owned(), |address| address.to_string());

    // asyncio's example reads once, so it echoes 100 bytes at most; this one continues until the client ends the
    // stream.
    loop {
        let data = reader.read(100).await?;
        if data.is_empty() {
            break;
        }
        // Escaped, so that no client can forge lines of the log.
        let message = cli::escaped(&data);
        cli::println(format!("Received '{message}' from {client}")).await?;
        cli::println(format!("Send: '{message}'")).await?;
        writer.write(&data)?;
        writer.drain().await?;
    }

    cli::println("Close the connection").await?;
    writer.close();
    writer.wait_closed().await
}
