//! Answers each line with its length, for any number of clients in one loop. Argument: the address, `127.0.0.1:8888`.
//!
//! A `watch` waits for all of them at once. Nothing else in the program waits.

use std::collections::BTreeMap;

use std::time::Duration;

use asyncio_streams::blocking::{
    Event, Reader, Server, ServerOptions, Wanted, Watch, Writer, cli, start_server, timeout,
};
use asyncio_streams::{Address, Error};
use asyncio_streams_blocking_examples::host_and_port;

asyncio_streams::run_blocking!(main);

/// The key of the server in the watch; clients have the keys from 1 on.
const SERVER: u32 = 0;

fn main() -> Result<(), Error> {
    let (host, port) = host_and_port("usage: line-server HOST:PORT")?;
    let options = ServerOptions::new();
    // The server disconnects a client after a minute of silence.
    options.set_idle_timeout(timeout(Duration::from_secs(60)));
    let server = start_server(&[host], port, Some(&options), None)?;
    if let Some(Address::Inet(address)) = server.sockets().first() {
        cli::println(format_args!(
            "listening on {}:{}",
            address.host, address.port
        ));
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
                // The drop sends what is left. A client that takes nothing is given up after the close deadline.
                clients.remove(&key);
            }
        }
    }
}

/// Accepts whoever waits; returns the last key that was used.
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

/// Answers the lines that are there; returns whether the client goes on.
fn answer(reader: &Reader, writer: &Writer) -> bool {
    loop {
        match reader.try_readline() {
            Ok(None) => return true,
            Ok(Some(line)) if line.is_empty() => return false,
            Ok(Some(line)) => {
                let length = line.strip_suffix(b"\n").unwrap_or(&line).len();
                if writer.write(format!("{length}\n").as_bytes()).is_err() {
                    return false;
                }
            }
            // The client is gone, or its line is too long.
            Err(_) => return false,
        }
    }
}
