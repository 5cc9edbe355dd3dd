//! The shortest embedding: a native program that calls `streams.wasm`. It needs the crate `asyncio-streams-host` and tokio.

use asyncio_streams_host::{Engine, Limits, Network, StreamsComponent};

pub async fn echo(streams: &str, port: u16) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let component = StreamsComponent::from_file(&Engine::new()?, streams)?;
    let network = Network::none().allow_connect(format!("127.0.0.1:{port}").parse()?);
    let streams = component.start(network, Limits::default()).await?;
    let (reader, writer) = streams.open_connection("127.0.0.1", port).await?;
    writer.write(b"Hello World!\n").await?;
    Ok(reader.readline().await?)
}
