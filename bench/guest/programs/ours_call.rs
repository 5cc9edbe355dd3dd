//! The interface itself: one call for each operation, by number where it need not wait, without the crate for Rust, which saves
//! calls.

use asyncio_streams::bindings::numbers;
use asyncio_streams::bindings::streams::{
    Reader, Server as Listener, ServerOptions, Writer, open_connection, start_server,
};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::spawn;
use asyncio_streams_bench_guest::{Meter, Result, listening, meter, on_each, order, report};
use asyncio_streams_bench_plan::{Client, Kind, Order, Server};

asyncio_streams::run!(main);

/// The size of a read if no message size is known.
const CHUNK: u32 = 64 << 10;

async fn main() -> Result {
    match order()? {
        Order::Client(client) => work(&client).await,
        Order::Server(server, address) => {
            serve(server, address.ip().to_string(), address.port()).await
        }
    }
}

async fn work(client: &Client) -> Result {
    if client.kind == Kind::Start {
        let (reader, writer) = connect(client).await?;
        writer.write(b"!")?;
        reader.read(None).await?;
        return Ok(());
    }
    let meter = meter(client);
    on_each(client, || connection(client, &meter)).await?;
    report(meter.measured()?).await
}

async fn connect(client: &Client) -> Result<(Reader, Writer)> {
    Ok(open_connection(client.host(), client.address.port(), None).await?)
}

async fn connection(client: &Client, meter: &Meter) -> Result {
    if client.kind == Kind::Connect {
        return connections(client, meter).await;
    }
    let (reader, writer) = connect(client).await?;
    let message = vec![b'x'; client.size];
    let size = u32::try_from(client.size)?;
    let (first, second) = message.split_at(client.size / 2);
    match client.kind {
        Kind::Lines => {
            let number = numbers::reader_number(&reader);
            while meter.go_on(1) {
                // A call that waits costs as much as many that do not.
                let line = match numbers::try_readline(number)? {
                    Some(line) => line,
                    None => reader.readline().await?,
                };
                ended(line.is_empty())?;
            }
        }
        Kind::Until => {
            let number = numbers::reader_number(&reader);
            while meter.go_on(1) {
                let separators: [&[u8]; 1] = [b"\r\n"];
                if numbers::try_readuntil(number, &separators)?.is_none() {
                    reader.readuntil(vec![b"\r\n".to_vec()]).await?;
                }
            }
        }
        Kind::BulkIn => loop {
            let bytes = reader.read(Some(CHUNK)).await?;
            ended(bytes.is_empty())?;
            if !meter.go_on(bytes.len() as u64) {
                break;
            }
        },
        Kind::BulkOut => {
            while meter.go_on(message.len() as u64) {
                writer.write(&message)?;
                writer.drain().await?;
            }
        }
        Kind::Echo | Kind::WriteRead => {
            while meter.go_on(1) {
                writer.write(&message)?;
                writer.drain().await?;
                reader.readexactly(size).await?;
            }
        }
        Kind::WriteWriteRead => {
            while meter.go_on(1) {
                writer.write(first)?;
                writer.write(second)?;
                reader.readexactly(size).await?;
            }
        }
        Kind::WriteDrain => {
            while meter.go_on(1) {
                writer.write(first)?;
                writer.drain().await?;
                writer.write(second)?;
                writer.drain().await?;
                reader.readexactly(size).await?;
            }
        }
        Kind::Connect | Kind::Start => {}
    }
    Ok(())
}

async fn connections(client: &Client, meter: &Meter) -> Result {
    while meter.go_on(1) {
        let (reader, writer) = connect(client).await?;
        reader.readexactly(1).await?;
        writer.close();
        writer.wait_closed().await?;
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
    let options = ServerOptions::new();
    options.set_backlog(1000)?;
    // The caller of the program sets the limit of handles.
    options.set_max_connections(1_000_000)?;
    let listener = start_server(vec![host], port, Some(&options)).await?;
    for address in listener.sockets() {
        listening(address).await?;
    }
    accept(&listener, server).await
}

async fn accept(listener: &Listener, server: Server) -> Result {
    loop {
        let (reader, writer) = listener.accept().await?;
        // The failure of one client does not end the server.
        drop(spawn(async move {
            match server {
                Server::Echo => echo(reader, writer).await,
                Server::Greet => writer.write(b"!"),
            }
        }));
    }
}

async fn echo(reader: Reader, writer: Writer) -> std::result::Result<(), Error> {
    loop {
        let data = reader.read(Some(CHUNK)).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.write(&data)?;
        writer.drain().await?;
    }
}
