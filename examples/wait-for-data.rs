//! Wait for data on custom streams: the reader and the writer work over any pair of byte streams, not only over
//! sockets. Here one task acts as the peer, and sends data into the stream that the reader waits on.
//!
//! asyncio's example registers an open socket. A component has byte streams instead: a file, a pipe, the body of an
//! HTTP message, or, as here, a stream that it made itself.
//!
//! From the folder of the checkout, after `cargo xtask build`:
//!
//!     wac plug target/components/examples/wait-for-data.wasm --plug target/components/streams.wasm -o wait-for-data.wasm
//!     wasmtime run wait-for-data.wasm

use std::time::Duration;

use asyncio_streams::{Error, byte_stream, cli, run, sleep, spawn, wrap};

run!(main);

async fn main() -> Result<(), Error> {
    // Two raw streams make a connection: one carries the peer's bytes in, the other carries written bytes out.
    let (mut peer, incoming) = byte_stream();
    let (reader, writer, _outgoing) = wrap(incoming).await?;

    // Simulate data that arrives a little later. The raw end of a stream has no buffer: `write_all` waits for the
    // reader.
    let sending = spawn(async move {
        sleep(Duration::from_millis(100)).await;
        peer.write_all(b"abc".to_vec()).await
    });

    // Wait for data.
    let data = reader.read(100).await?;

    // Got data: we are done, close the connection.
    cli::println(format!("Received: {}", cli::escaped(&data))).await?;
    writer.close();

    // `write_all` returns the unsent bytes: none here.
    let _unsent = sending.await;
    Ok(())
}
