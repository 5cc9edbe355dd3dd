//! The shortest handler: serve.wasm calls it for each client, and it sends everything back.
//!
//! From the folder of the checkout, after `cargo xtask build`:
//!
//!     wac plug target/components/serve.wasm --plug target/components/examples/echo.wasm -o part.wasm
//!     wac plug part.wasm --plug target/components/streams.wasm -o echo.wasm
//!     wasmtime run -S inherit-network echo.wasm 127.0.0.1:8888

use asyncio_streams::{Error, Reader, Writer, serve};

serve!(echo);

async fn echo(reader: Reader, writer: Writer) -> Result<(), Error> {
    while !reader.at_eof() {
        writer.write(reader.read(4096).await?)?;
        writer.drain().await?;
    }
    Ok(())
}
