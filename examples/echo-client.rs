//! TCP echo client: connects, sends a message, and prints the answer.
//!
//! From the folder of the checkout, after `cargo xtask build`, with an echo server at
//! 127.0.0.1:8888 (echo-server.rs is one):
//!
//!     wac plug target/components/examples/echo-client.wasm --plug target/components/streams.wasm -o echo-client.wasm
//!     wasmtime run -S inherit-network echo-client.wasm 127.0.0.1:8888
//!
//! The arguments are the address, and optionally the message. A name in place of an address needs `-S
//! allow-ip-name-lookup` too.

use std::error::Error;

use asyncio_streams::{cli, open_connection, run};

run!(main);

async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = cli::arguments().into_iter();
    let address = arguments
        .next()
        .ok_or("usage: echo-client HOST:PORT [MESSAGE]")?;
    let message = arguments
        .next()
        .unwrap_or_else(|| "Hello World!".to_owned());

    let (host, port) = address
        .rsplit_once(':')
        .ok_or("the address is not HOST:PORT")?;
    // IPv6 addresses stand in brackets, which separate their colons from the port's.
    let host = host.trim_matches(['[', ']']);
    let port = port
        .parse()
        .map_err(|_| format!("{port:?} is not a port"))?;
    let (reader, writer) = open_connection(host, port).await?;

    cli::println(format!("Send: '{}'", cli::escaped(&message))).await?;
    writer.write(&message)?;
    writer.drain().await?;

    // asyncio's example has `read(100)`, which may return before the whole answer has arrived.
    let answer = reader.readexactly(message.len()).await?;
    cli::println(format!("Received: '{}'", cli::escaped(&answer))).await?;

    cli::println("Close the connection").await?;
    writer.close();
    writer.wait_closed().await?;
    Ok(())
}
