//! Key-value server: a protocol of lines like memcached's, whose clients share one store.
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
//! After a value, too, the line ends. A command that fails is answered by `error` and the reason, and the next
//! command is read.

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

/// The approximate memory of an entry, in addition to its key and value.
const ENTRY: usize = 100;

// All clients are served in one instance and one thread: they share globals, and these need no lock. A borrow must
// not last across an `await`, where other clients run.
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
        // A client that vanishes is not an error; a value that it had begun to send is not stored.
        Err(Error::Network(_) | Error::IncompleteRead(_)) => Ok(()),
        result => result,
    }
    // Returning closes the connection, after the last answers were sent.
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
                // Without the length, the start of the next command is unknown.
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
        // Waits only for clients that are slow to read their answers: a client that reads none is served no further.
        // Commands that arrive together are answered together, in few segments.
        writer.drain().await?;
    }
}

enum Line {
    Command(Vec<u8>),
    TooLong,
    End,
}

/// Reads the next line. A line beyond the reader's limit is skipped, whatever its length. A line without an end comes
/// from a client that vanished, and is no command.
async fn next_line(reader: &Reader) -> Result<Line, Error> {
    let mut too_long = false;
    loop {
        match reader.readline().await {
            // Nothing was consumed so far. The discarded bytes hold no part of the line's end.
            Err(Error::LimitOverrun(overrun)) => {
                too_long = true;
                reader.discard(overrun.consumed as usize)?;
            }
            Ok(line) if !line.ends_with(b"\n") => return Ok(Line::End),
            // The end of the line that was discarded.
            Ok(_) if too_long => return Ok(Line::TooLong),
            Ok(line) => return Ok(Line::Command(line)),
            Err(error) => return Err(error),
        }
    }
}

/// Reads the value that follows, stores it, and returns the answer.
async fn set(reader: &Reader, key: &[u8], length: u64) -> Result<&'static str, Error> {
    if length > MAX_VALUE as u64 || key.len() > MAX_KEY {
        // The client sends the value anyway: skip it, so that it is not read as commands.
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
    /// Stores a value, and replaces the previous one. Returns false when the store is full; the previous value stays
    /// then.
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

    /// Deletes a value, and returns whether it existed.
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
