//! The fastest way of the crate for Rust for each kind of work.

use asyncio_streams::{
    ClientConfig, ConnectOptions, Error, Reader, ServerConfig, ServerOptions, Writer,
    open_connection,
};
use asyncio_streams_bench_guest::{
    Meter, Result, certificate, listening, meter, on_each, order, report,
};
use asyncio_streams_bench_plan::{Client, Kind, Order, Server};
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

/// The size of a read if no message size is known.
const CHUNK: usize = 64 << 10;

/// The buffer of a read from a stream.
const STREAM_CHUNK: usize = 256 << 10;

async fn main() -> Result {
    match order()? {
        Order::Client(client) => work(&client).await,
        Order::Server(server, address) => {
            serve(server, address.ip().to_string(), address.port()).await
        }
    }
}

/// The job, and the options of its connections.
struct Work<'a> {
    client: &'a Client,
    meter: Meter,
    protected: Option<ConnectOptions>,
}

async fn work(client: &Client) -> Result {
    let work = Work {
        client,
        meter: meter(client),
        protected: protected()?,
    };
    if client.kind == Kind::Start {
        return work.start().await;
    }
    on_each(client, || connection(&work)).await?;
    report(work.meter.measured()?).await
}

/// Returns the options of a client that trusts one certificate and resumes no session; `None` without a certificate.
fn protected() -> Result<Option<ConnectOptions>> {
    let Some(pem) = certificate() else {
        return Ok(None);
    };
    let config = ClientConfig::new();
    config.set_built_in_roots(false)?;
    config.add_roots(pem)?;
    config.set_resumption(false)?;
    Ok(Some(ConnectOptions::new().tls(&config)))
}

impl Work<'_> {
    async fn connect(&self) -> Result<(Reader, Writer)> {
        let (host, port) = (self.client.host(), self.client.address.port());
        Ok(match &self.protected {
            None => open_connection(&host, port).await?,
            Some(options) => options.open_connection(&host, port).await?,
        })
    }

    async fn start(&self) -> Result {
        let (reader, writer) = self.connect().await?;
        writer.write("!")?;
        reader.read_to_end().await?;
        Ok(())
    }
}

async fn connection(work: &Work<'_>) -> Result {
    let Work { client, meter, .. } = work;
    if client.kind == Kind::Connect {
        return connections(work).await;
    }
    let (reader, writer) = work.connect().await?;
    let message = vec![b'x'; client.size];
    let (first, second) = message.split_at(client.size / 2);
    match client.kind {
        Kind::Lines => {
            let mut lines = reader.lines();
            while meter.go_on(1) {
                ended(lines.next().await?.is_none())?;
            }
        }
        Kind::Until => {
            while meter.go_on(1) {
                reader.readuntil("\r\n").await?;
            }
        }
        Kind::BulkIn => bulk_in(&reader, meter).await?,
        Kind::BulkOut => bulk_out(writer, client, meter).await?,
        Kind::Echo | Kind::WriteRead => {
            while meter.go_on(1) {
                writer.write(&message)?;
                writer.drain().await?;
                reader.readexactly(message.len()).await?;
            }
        }
        Kind::WriteWriteRead => {
            while meter.go_on(1) {
                writer.write(first)?;
                writer.write(second)?;
                reader.readexactly(message.len()).await?;
            }
        }
        Kind::WriteDrain => {
            while meter.go_on(1) {
                writer.write(first)?;
                writer.drain().await?;
                writer.write(second)?;
                writer.drain().await?;
                reader.readexactly(message.len()).await?;
            }
        }
        Kind::Connect | Kind::Start => {}
    }
    Ok(())
}

async fn connections(work: &Work<'_>) -> Result {
    while work.meter.go_on(1) {
        let (reader, writer) = work.connect().await?;
        reader.readexactly(1).await?;
        writer.close();
        writer.wait_closed().await?;
    }
    Ok(())
}

async fn bulk_in(reader: &Reader, meter: &Meter) -> Result {
    let (mut data, _end) = reader.into_stream().await?;
    let mut room = Vec::with_capacity(STREAM_CHUNK);
    loop {
        let (result, mut bytes) = data.read(room).await;
        ended(result == StreamResult::Dropped)?;
        if !meter.go_on(bytes.len() as u64) {
            return Ok(());
        }
        bytes.clear();
        room = bytes;
    }
}

/// Without a boundary between the program and the queue, a write is one copy.
async fn bulk_out(writer: Writer, client: &Client, meter: &Meter) -> Result {
    let message = vec![b'x'; client.size];
    while meter.go_on(message.len() as u64) {
        writer.write(&message)?;
        writer.drain().await?;
    }
    Ok(())
}

fn ended(ended: bool) -> std::result::Result<(), &'static str> {
    if ended {
        return Err("the other side ended the connection");
    }
    Ok(())
}

async fn serve(server: Server, host: String, port: u16) -> Result {
    // The caller of the program sets the limit of handles.
    let mut options = ServerOptions::new()
        .backlog(1000)
        .max_connections(1_000_000);
    if let Some(pem) = certificate() {
        let config = ServerConfig::new();
        config.add_certificate(&pem, &pem)?;
        config.set_resumption(false)?;
        options = options.tls(&config);
    }
    let listener = options.start_server([host], port).await?;
    for address in listener.sockets() {
        listening(address).await?;
    }
    match server {
        Server::Echo => listener.serve_forever(echo).await?,
        Server::Greet => listener.serve_forever(greet).await?,
    }
    Ok(())
}

async fn echo(reader: Reader, writer: Writer) -> std::result::Result<(), Error> {
    loop {
        let data = reader.read(CHUNK).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}

async fn greet(_reader: Reader, writer: Writer) -> std::result::Result<(), Error> {
    writer.write("!")?;
    writer.close();
    Ok(())
}
