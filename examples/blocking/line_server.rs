//! Answers each line with its length, for any number of clients in one loop. Argument: the address, `127.0.0.1:8888`.
//!
//! A `watch` waits for all of them at once. Nothing else in the program waits.

use std::collections::BTreeMap;

use std::time::Duration;

use asyncio_streams::Error;
use asyncio_streams::blocking::{
    Event, Reader, Server, ServerOptions, Wanted, Watch, Writer, cli, start_server, timeout,
};
use asyncio_streams_blocking_examples::host_and_port;

asyncio_streams::run_blocking!(main);

/// The key of the server in the watch; clients have the keys from 1 on.
const SERVER: u32 = 0;

/// The most bytes of lines that are answered together.
const BLOCK: u32 = 16 << 10;

fn main() -> Result<(), Error> {
    let (host, port) = host_and_port("usage: line-server HOST:PORT")?;
    let options = ServerOptions::new();
    // The server disconnects a client after a minute of silence.
    options.set_idle_timeout(timeout(Duration::from_secs(60)));
    // All others wait while a connection is dropped: a client that takes nothing is given up after a second.
    options.set_close_deadline(timeout(Duration::from_secs(1)));
    // Answers for a client that does not read them.
    options.set_max_queued(1 << 20)?;
    let server = start_server(&[host], port, Some(&options), None)?;
    if let Some(address) = server.sockets().first() {
        cli::println(format_args!("listening on {address}"));
    }

    let watch = Watch::new();
    watch.add(&Event::Connection(&server), SERVER)?;
    let mut clients = BTreeMap::new();
    let mut last_key = SERVER;
    loop {
        for key in watch.wait(None)? {
            if key == SERVER {
                last_key = accept(&server, &watch, &mut clients, last_key)?;
            } else if let Some((reader, writer)) = clients.get(&key)
                && !answer(reader, writer)
            {
                // The drop sends what is left.
                clients.remove(&key);
            }
        }
    }
}

/// Accepts all waiting connections; returns the last key that was used.
fn accept(
    server: &Server,
    watch: &Watch,
    clients: &mut BTreeMap<u32, (Reader, Writer)>,
    last_key: u32,
) -> Result<u32, Error> {
    let mut key = last_key;
    while let Some(client) = server.try_accept()? {
        key = (1..=u32::MAX)
            .map(|n| key.wrapping_add(n))
            .find(|key| *key != SERVER && !clients.contains_key(key))
            .unwrap_or(key);
        watch.add(&Event::Readable((&client.0, Wanted::Line)), key)?;
        clients.insert(key, client);
    }
    Ok(key)
}

/// Answers a block of the lines that are there; returns whether the client goes on. The watch reports the rest again, so that a client
/// that sends without end does not hold up the others.
fn answer(reader: &Reader, writer: &Writer) -> bool {
    match reader.try_readlines(BLOCK) {
        Ok(None) => true,
        Ok(Some(lines)) if lines.is_empty() => false,
        Ok(Some(lines)) => {
            let answers = lines.split_inclusive(|byte| *byte == b'\n').map(|line| {
                let length = line.strip_suffix(b"\n").unwrap_or(line).len();
                format!("{length}\n")
            });
            writer.write(answers.collect::<String>().as_bytes()).is_ok()
        }
        // The client is gone, or its line is too long.
        Err(_) => false,
    }
}
