//! Shared by the components of the benchmark: the command line, the meter and the output.

use std::fmt::Display;
use std::time::Duration;

use asyncio_streams::{cli, now};
use asyncio_streams_bench_plan::{Client, Measured, Order, TLS};

/// The reason why a program ends early, as a text for the user.
pub type Failure = Box<dyn std::error::Error>;

/// The result of the work.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A meter on the host's monotonic clock.
pub type Meter = asyncio_streams_bench_plan::Meter<fn() -> Duration>;

/// Reads the job from the command line.
///
/// # Errors
/// An error of the command line.
pub fn order() -> Result<Order> {
    Ok(Order::parse(cli::arguments())?)
}

/// Returns the certificate with its key, which protect the connections; `None` without TLS.
pub fn certificate() -> Option<String> {
    let mut variables = cli::variables().into_iter();
    let (_, pem) = variables.find(|(name, _)| name == TLS)?;
    Some(pem)
}

/// A meter that starts now.
pub fn meter(client: &Client) -> Meter {
    Meter::new(client, now)
}

/// Runs `connection` for each connection of the job, all concurrently.
///
/// # Errors
/// The error of the first connection that fails.
pub async fn on_each<F: Future<Output = Result>>(
    client: &Client,
    connection: impl Fn() -> F,
) -> Result {
    futures::future::try_join_all((0..client.connections).map(|_| connection())).await?;
    Ok(())
}

/// Prints the measurement.
///
/// # Errors
/// When the standard output is closed.
pub async fn report(measured: Measured) -> Result {
    Ok(cli::println(measured).await?)
}

/// Prints the address on which a server listens.
///
/// # Errors
/// When the standard output is closed.
pub async fn listening(address: impl Display) -> Result {
    Ok(cli::println(format_args!("listening on {address}")).await?)
}
