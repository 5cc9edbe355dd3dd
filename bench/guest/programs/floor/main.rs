//! The same work directly on `wasi:sockets` 0.3, in one component without this project's: the cost of the system.

mod lines;
mod socket;

use asyncio_streams::spawn;
use asyncio_streams_bench_guest::{Meter, Result, listening, meter, on_each, order, report};
use asyncio_streams_bench_plan::{Client, Kind, Order, Server};
use lines::Lines;
use socket::{Connection, Listener};

asyncio_streams::run!(main);

/// The size of a read if no message size is known.
const CHUNK: usize = 64 << 10;

/// The size of a read that waits for a message, which may be small.
const SMALL: usize = 2 << 10;

/// The size of a read of bulk data.
const BULK: usize = 256 << 10;

async fn main() -> Result {
    match order()? {
        Order::Client(client) => work(&client).await,
        Order::Server(server, address) => {
            let listener = Listener::bind(address)?;
            listening(listener.address).await?;
            serve(listener, server).await
        }
    }
}

async fn work(client: &Client) -> Result {
    if client.kind == Kind::Start {
        let mut connection = Connection::open(client).await?;
        connection.write(b"!".to_vec()).await?;
        return connection.read(vec![0; 1]).await.map(drop);
    }
    let meter = meter(client);
    on_each(client, || connection(client, &meter)).await?;
    report(meter.measured()?).await
}

async fn connection(client: &Client, meter: &Meter) -> Result {
    if client.kind == Kind::Connect {
        while meter.go_on(1) {
            Connection::open(client)
                .await?
                .read(Vec::with_capacity(1))
                .await?;
        }
        return Ok(());
    }
    let mut connection = Connection::open(client).await?;
    let message = || vec![b'x'; client.size];
    match client.kind {
        Kind::Lines => {
            let mut lines = Lines::new(connection, b"\n", CHUNK);
            while meter.go_on(1) {
                lines.next().await?;
            }
        }
        Kind::Until => {
            let mut lines = Lines::new(connection, b"\r\n", CHUNK);
            while meter.go_on(1) {
                lines.next().await?;
            }
        }
        Kind::BulkIn => {
            let mut room = Vec::with_capacity(BULK);
            loop {
                room = connection.read(room).await?;
                if !meter.go_on(room.len() as u64) {
                    break;
                }
                room.clear();
            }
        }
        Kind::BulkOut => {
            let mut bytes = message();
            while meter.go_on(client.size as u64) {
                bytes = connection.write(bytes).await?;
                bytes.resize(client.size, b'x');
            }
        }
        Kind::Echo | Kind::WriteRead => {
            let mut bytes = message();
            while meter.go_on(1) {
                connection.write(bytes).await?;
                bytes = connection.read_exactly(client.size).await?;
            }
        }
        // Nothing coalesces two writes here, and there is nothing to drain.
        Kind::WriteWriteRead | Kind::WriteDrain => {
            while meter.go_on(1) {
                let half = client.size / 2;
                connection.write(vec![b'x'; half]).await?;
                connection.write(vec![b'x'; client.size - half]).await?;
                connection.read_exactly(client.size).await?;
            }
        }
        Kind::Connect | Kind::Start => {}
    }
    Ok(())
}

async fn serve(mut listener: Listener, server: Server) -> Result {
    loop {
        let mut connection = listener.accept().await?;
        // The failure of one client does not end the server.
        drop(spawn(async move {
            match server {
                Server::Echo => echo(connection).await,
                Server::Greet => connection.write(b"!".to_vec()).await.map(drop),
            }
        }));
    }
}

/// Waits with a small buffer. An empty one does not work: after another read, such a read returns at once, and the
/// next one waits with its whole buffer.
async fn echo(mut connection: Connection) -> Result {
    let mut room = SMALL;
    loop {
        let bytes = connection.read(Vec::with_capacity(room)).await?;
        room = if bytes.len() < SMALL { SMALL } else { CHUNK };
        connection.write(bytes).await?;
    }
}
