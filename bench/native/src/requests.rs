//! Clients of a server over HTTP/1.1 with kept connections.

use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use asyncio_streams_bench_plan::Client;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::JoinSet;

use crate::network::{Stream, connect};
use crate::{Meter, meter};

/// The largest body of an answer, in bytes.
const LARGEST: usize = 1 << 20;

/// Asks for a page again and again on each connection, and prints the measurement.
pub(crate) async fn ask(order: &Client) -> Result<()> {
    let meter = Rc::new(meter(order));
    let mut connections = JoinSet::new();
    for _ in 0..order.connections {
        connections.spawn_local(connection(order.address, meter.clone()));
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    println!("{}", meter.measured().map_err(anyhow::Error::msg)?);
    Ok(())
}

async fn connection(address: SocketAddr, meter: Rc<Meter>) -> Result<()> {
    let mut stream = BufReader::new(connect(address).await?);
    let request = format!("GET /json?q=1 HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\r\n");
    let (mut line, mut body) = (String::new(), Vec::new());
    while meter.go_on(1) {
        stream.write_all(request.as_bytes()).await?;
        let length = head(&mut stream, &mut line).await?;
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
    }
    Ok(())
}

/// Reads the head of an answer, and returns the length of its body.
async fn head(stream: &mut BufReader<Stream>, line: &mut String) -> Result<usize> {
    next(stream, line).await?;
    if !line.starts_with("HTTP/1.1 200 ") {
        bail!("the server answered {line:?}");
    }
    let mut length = None;
    loop {
        next(stream, line).await?;
        if line == "\r\n" {
            return length.context("the answer has no content-length");
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            let value = value.trim().parse().ok();
            let value = value.filter(|length| *length <= LARGEST);
            length = Some(value.with_context(|| format!("{line:?} is no length up to {LARGEST}"))?);
        }
    }
}

async fn next(stream: &mut BufReader<Stream>, line: &mut String) -> Result<()> {
    line.clear();
    if stream.read_line(line).await? == 0 {
        bail!("the server ended the connection");
    }
    Ok(())
}
