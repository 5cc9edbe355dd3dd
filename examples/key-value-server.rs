//! Key-value server: a protocol of lines in the manner of memcached, whose clients share one store.
//!
//! From the folder of the checkout, after `cargo xtask build`:
//!
//!     wac plug target/components/serve.wasm --plug target/components/examples/key-value-server.wasm -o part.wasm
//!     wac plug part.wasm --plug target/components/streams.wasm -o key-value-server.wasm
//!     wasmtime run -S inherit-network key-value-server.wasm 127.0.0.1:8888
//!
//! Each command is a line, and each has one answer, in the order of the commands. A client may send
//! many commands before it reads the first answer. Values are bytes of any kind.
//!
//!     set KEY LENGTH, then a value of LENGTH bytes    stored
//!     get KEY                                         value LENGTH, then the value; or none
//!     delete KEY                                      deleted, or none
//!     count                                           count NUMBER
//!     quit                                            the end of the connection
//!
//! After a value, too, the line ends. What cannot be done is answered by `error` and the reason, and
//! the next command counts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use asyncio_streams::{Error, Reader, Writer, serve};

serve!(serve_client);

/// Bytes in a key.
const MAX_KEY: usize = 250;

/// Bytes in a value.
const MAX_VALUE: usize = 1 << 20;

/// Bytes in all keys and values together: memory that has run out would end the server.
const MAX_STORE: usize = 256 << 20;

/// What a store pays for an entry beside its key and value, roughly.
const ENTRY: usize = 100;

// All clients are served in one instance, and one thread: what is global is shared, and needs no lock.
// Only, a borrow must not last across an `await`, where the other clients have their turn.
thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

#[derive(Default)]
struct Store {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

async fn serve_client(reader: Reader, writer: Writer) -> Result<(), Error> {
    match answer_commands(&reader, &writer).await {
        // A client that vanishes is nothing to report; a value that it had begun to send is not stored.
        Err(Error::Network(_) | Error::IncompleteRead(_)) => Ok(()),
        result => result,
    }
    // The end of the function closes the connection, once the last answers are out.
}

async fn answer_commands(reader: &Reader, writer: &Writer) -> Result<(), Error> {
    loop {
        let line = match next_line(reader).await? {
            Line::Command(line) => line,
            Line::TooLong => {
                writer.send("error the line is too long\r\n").await?;
                continue;
            }
            Line::End => return Ok(()),
        };
        let words: Vec<&[u8]> = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            [b"set", key, length] => match parse(length) {
                Some(length) => writer.write(set(reader, key, length).await?)?,
                // Without the length, nobody knows where the next command begins.
                None => return writer.send("error the length is not a number\r\n").await,
            },
            [b"get", key] => match STORE.with_borrow(|store| store.values.get(*key).cloned()) {
                Some(value) => {
                    let header = format!("value {}\r\n", value.len()).into_bytes();
                    writer.writelines(&[header, value, b"\r\n".to_vec()])?;
                }
                None => writer.write("none\r\n")?,
            },
            [b"delete", key] => match STORE.with_borrow_mut(|store| store.delete(key)) {
                true => writer.write("deleted\r\n")?,
                false => writer.write("none\r\n")?,
            },
            [b"count"] => {
                let count = STORE.with_borrow(|store| store.values.len());
                writer.write(format!("count {count}\r\n"))?;
            }
            [b"quit"] => return Ok(()),
            _ => writer.write("error no such command\r\n")?,
        }
        // Waits only when the client is slow to take its answers: one that takes none is served no
        // further. What a client has sent at once is answered at once, in few segments.
        writer.drain().await?;
    }
}

enum Line {
    Command(Vec<u8>),
    TooLong,
    End,
}

/// The next line. One that is longer than the reader's limit is skipped, however long it is; one
/// without an end is what a client left behind that vanished, and no command.
async fn next_line(reader: &Reader) -> Result<Line, Error> {
    let mut too_long = false;
    loop {
        match reader.readline().await {
            // Nothing was dropped so far. What is discarded here holds no part of the line's end.
            Err(Error::LimitOverrun(overrun)) => {
                too_long = true;
                reader.discard(overrun.consumed as usize)?;
            }
            Ok(line) if !line.ends_with(b"\n") => return Ok(Line::End),
            // The rest of the line that was discarded.
            Ok(_) if too_long => return Ok(Line::TooLong),
            Ok(line) => return Ok(Line::Command(line)),
            Err(error) => return Err(error),
        }
    }
}

/// Takes the value that follows, stores it, and gives the answer.
async fn set(reader: &Reader, key: &[u8], length: u64) -> Result<&'static str, Error> {
    if length > MAX_VALUE as u64 || key.len() > MAX_KEY {
        // The value is on its way all the same: skipped, so that it is not taken for commands.
        skip(reader, length).await?;
        next_line(reader).await?;
        return Ok("error the key or the value is too long\r\n");
    }
    let value = reader.readexactly(length as usize).await?;
    match next_line(reader).await? {
        Line::Command(rest) if rest.trim_ascii().is_empty() => {
            match STORE.with_borrow_mut(|store| store.set(key, value)) {
                true => Ok("stored\r\n"),
                false => Ok("error the store is full\r\n"),
            }
        }
        _ => Ok("error the value is longer than its length\r\n"),
    }
}

async fn skip(reader: &Reader, length: u64) -> Result<(), Error> {
    let mut left = length;
    while left > 0 {
        let skipped = reader.read(left.min(65_536) as usize).await?;
        if skipped.is_empty() {
            break;
        }
        left = left.saturating_sub(skipped.len() as u64);
    }
    Ok(())
}

impl Store {
    /// Stores a value, in place of the one that was there. False when the store is full; then the
    /// old one stays.
    fn set(&mut self, key: &[u8], value: Vec<u8>) -> bool {
        let freed = self.values.get(key).map_or(0, |old| size(key, old));
        let bytes = self.bytes.saturating_sub(freed) + size(key, &value);
        if bytes > MAX_STORE {
            return false;
        }
        self.bytes = bytes;
        self.values.insert(key.to_vec(), value);
        true
    }

    /// Whether there was such a value.
    fn delete(&mut self, key: &[u8]) -> bool {
        let Some(old) = self.values.remove(key) else {
            return false;
        };
        self.bytes = self.bytes.saturating_sub(size(key, &old));
        true
    }
}

fn size(key: &[u8], value: &[u8]) -> usize {
    ENTRY + key.len() + value.len()
}

fn parse(number: &[u8]) -> Option<u64> {
    str::from_utf8(number).ok()?.parse().ok()
}
