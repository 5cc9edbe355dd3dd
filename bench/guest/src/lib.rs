//! Shared by the components of the benchmark: the command line, the meter and the output.

use std::fmt::Display;
use std::time::Duration;

use asyncio_streams::{cli, now};
use asyncio_streams_bench_plan::{Client, Measured, Order, TLS};

/// Why a program ends early: a text for the one who runs it.
pub type Failure = Box<dyn std::error::Error>;

/// The result of the work.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A meter on the host's monotonic clock.
pub type Meter = asyncio_streams_bench_plan::Meter<fn() -> Duration>;

/// The orders on the command line.
///
/// # Errors
/// The fault of the command line.
pub fn order() -> Result<Order> {
    Ok(Order::parse(cli::arguments())?)
}

/// The certificate and its key with which connections are to be protected.
pub fn certificate() -> Option<String> {
    let mut variables = cli::variables().into_iter();
    let (_, pem) = variables.find(|(name, _)| name == TLS)?;
    Some(pem)
}

/// A meter that starts now.
pub fn meter(client: &Client) -> Meter {
    Meter::new(client, now)
}

/// Runs `connection` for each connection that was ordered, all at once.
///
/// # Errors
/// That of the first that fails.
pub async fn on_each<F: Future<Output = Result>>(
    client: &Client,
    connection: impl Fn() -> F,
) -> Result {
    futures::future::try_join_all((0..client.connections).map(|_| connection())).await?;
    Ok(())
}

/// Says what was measured.
///
/// # Errors
/// When standard output is closed.
pub async fn report(measured: Measured) -> Result {
    Ok(cli::println(measured).await?)
}

/// Says where a server listens.
///
/// # Errors
/// When standard output is closed.
pub async fn listening(address: impl Display) -> Result {
    Ok(cli::println(format_args!("listening on {address}")).await?)
}
