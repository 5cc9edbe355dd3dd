//! The work of a server: one loop for all clients.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use asyncio_streams::Address;
use asyncio_streams::blocking::{
    Event, Reader, Server, ServerOptions, Wanted, Watch, Writer, cli, start_server,
};
use asyncio_streams_bench_plan::Server as Work;

use crate::Result;

/// The size of a read.
const CHUNK: u32 = 64 << 10;

/// The key of the server in the watch; clients have the keys from 1 on.
const SERVER: u32 = 0;

pub(crate) fn serve(work: Work, address: SocketAddr) -> Result {
    let options = ServerOptions::new();
    options.set_backlog(1000)?;
    // The caller of the program sets the limit of handles.
    options.set_max_connections(1_000_000)?;
    let hosts = [address.ip().to_string()];
    let server = start_server(&hosts, address.port(), Some(&options), None)?;
    for address in server.sockets() {
        if let Address::Inet(inet) = address {
            cli::println(format_args!("listening on {}:{}", inet.host, inet.port));
        }
    }
    let watch = Watch::new();
    watch.add(&Event::Connection(&server), SERVER)?;
    let mut clients = BTreeMap::new();
    let mut last_key = SERVER;
    loop {
        for key in watch.wait(None)? {
            if key == SERVER {
                accept(work, &server, &watch, &mut clients, &mut last_key)?;
            } else if let Some((reader, writer)) = clients.get(&key)
                // The failure of one client does not end the server.
                && !echo(reader, writer).unwrap_or(false)
            {
                clients.remove(&key);
            }
        }
    }
}

fn accept(
    work: Work,
    server: &Server,
    watch: &Watch,
    clients: &mut BTreeMap<u32, (Reader, Writer)>,
    last_key: &mut u32,
) -> Result {
    while let Some((reader, writer)) = server.try_accept()? {
        match work {
            Work::Echo => {
                *last_key += 1;
                watch.add(&Event::Readable((&reader, Wanted::Any)), *last_key)?;
                clients.insert(*last_key, (reader, writer));
            }
            // A client that has gone meanwhile needs no greeting. The drop sends it.
            Work::Greet => drop(writer.write(b"!")),
        }
    }
    Ok(())
}

/// Sends back what has come; returns whether more may come.
fn echo(reader: &Reader, writer: &Writer) -> Result<bool> {
    while let Some(data) = reader.try_read(CHUNK)? {
        if data.is_empty() {
            return Ok(false);
        }
        writer.write(&data)?;
    }
    Ok(true)
}
