//! Measures the time from a program's start to its first byte.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use asyncio_streams_bench_plan::Measured;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// Starts `command` with the arguments `client start ADDRESS 0 1 0 0`, and prints the time until its first byte
/// arrives.
pub(crate) async fn measure(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("start what?")?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = listener.local_addr()?.to_string();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["client", "start", &address, "0", "1", "0", "0"])
        .stdin(Stdio::null());
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let (mut stream, _) = listener.accept().await?;
    stream.read_exact(&mut [0]).await?;
    let elapsed = start.elapsed();
    drop(stream);
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "{program} failed ({status})");
    println!("{}", Measured { count: 1, elapsed });
    Ok(())
}
