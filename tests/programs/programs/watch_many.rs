//! Thousands of connections in one wait, while others come and go and the wait is given up at random.

use asyncio_streams::bindings::numbers::{self, Event, Watch};
use asyncio_streams::{ByteReader, ByteWriter, Reader, Wanted, Writer, byte_stream, wrap};
use asyncio_streams_test_programs::{Failure, Random, Result, same, within_turns};

asyncio_streams::run!(main);

/// With the handles of a connection, half of what the component may take.
const CONNECTIONS: usize = 2_500;

const ROUNDS: u64 = 120;

/// A connection in memory.
struct Connection {
    reader: Reader,
    _writer: Writer,
    _outgoing: ByteReader,
    peer: ByteWriter,
    /// Bytes that the peer has sent, and that were read.
    sent: u64,
    read: u64,
}

async fn connect() -> Result<Connection> {
    let (peer, incoming) = byte_stream();
    let (reader, writer, outgoing) = wrap(incoming).await?;
    Ok(Connection {
        reader,
        _writer: writer,
        _outgoing: outgoing,
        peer,
        sent: 0,
        read: 0,
    })
}

struct Crowd {
    waits: Watch,
    connections: Vec<Connection>,
}

impl Crowd {
    fn add(&self, key: usize) -> Result {
        let number = numbers::reader_number(self.connections[key].reader.raw());
        let any = Event::Readable(Wanted::Any);
        let key = u32::try_from(key).map_err(Failure::new)?;
        Ok(numbers::add(self.waits.number(), number, &any, key)?)
    }

    /// Reads everything of the connection with this key.
    fn read(&mut self, key: u32) -> Result {
        let connection = &mut self.connections[key as usize];
        let number = numbers::reader_number(connection.reader.raw());
        let bytes = numbers::try_read(number, 4096)?.unwrap_or_default();
        connection.read += bytes.len() as u64;
        same!(connection.read <= connection.sent, true);
        Ok(())
    }
}

async fn main() -> Result {
    let mut crowd = Crowd {
        waits: Watch::new(),
        connections: Vec::new(),
    };
    for key in 0..CONNECTIONS {
        crowd.connections.push(connect().await?);
        crowd.add(key)?;
    }
    let mut random = Random::new(13);
    for _ in 0..ROUNDS {
        // Some speak: their reads are pending once the wait has begun, so that the stream takes the bytes.
        drop(within_turns(2, crowd.waits.wait()).await);
        for _ in 0..random.below(40) {
            let key = random.below(CONNECTIONS);
            let length = 1 + random.below(100);
            let connection = &mut crowd.connections[key];
            if within_turns(2, connection.peer.write_all(vec![0; length]))
                .await
                .is_some()
            {
                connection.sent += length as u64;
            } else {
                // The number of sent bytes is unknown: replace this connection.
                crowd.connections[key] = connect().await?;
                crowd.add(key)?;
            }
        }
        // Some leave, and others come in their place.
        for _ in 0..random.below(20) {
            let key = random.below(CONNECTIONS);
            crowd.connections[key] = connect().await?;
            crowd.add(key)?;
        }
        for key in within_turns(random.below(6), crowd.waits.wait())
            .await
            .transpose()?
            .unwrap_or_default()
        {
            crowd.read(key)?;
        }
    }
    // Nothing was lost.
    let missing = |crowd: &Crowd| {
        let connections = crowd.connections.iter();
        connections.map(|one| one.sent - one.read).sum::<u64>()
    };
    while missing(&crowd) > 0 {
        for key in crowd.waits.wait().await? {
            crowd.read(key)?;
        }
    }
    Ok(())
}
