//! A name with several addresses, some of which do not answer. The host test knows which; it passes the case and the
//! port of all of them as arguments.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{
    Address, ConnectAttempt, ConnectOptions, Error, NetworkCode, Reader, cli, now, start_server,
};
use asyncio_streams_test_programs::{
    Failure, Result, Side, check, matching, peer_port, port, same,
};
use futures::future::{Either, select};

asyncio_streams::run!(main);

const NAME: &str = "many.example";
/// A time that never passes while a test runs.
const HOUR: Duration = Duration::from_secs(3600);

async fn main() -> Result {
    let port = peer_port(1)?;
    let (input, _) = cli::stdin().await?;
    match cli::arguments().first().map(String::as_str) {
        Some("refused") => refused(port).await,
        Some("black hole") => black_hole(port, &input).await,
        Some("one after another") => one_after_another(port, &input).await,
        Some("all at once") => all_at_once(port, &input).await,
        Some("all fail") => all_fail(port).await,
        Some("local addresses") => local_addresses(port).await,
        other => Err(Failure::new(format_args!("no such case: {other:?}"))),
    }
}

/// Reports that a point was reached, and waits until the test has checked the state.
async fn pause(input: &Reader, at: &str) -> Result {
    cli::println(at).await?;
    input.readline().await?;
    Ok(())
}

async fn open(options: &ConnectOptions, port: u16) -> std::result::Result<Side, Error> {
    Ok(options.open_connection(NAME, port).await?.into())
}

fn remote(side: &Side) -> Result<String> {
    host(side.writer.peername())
}

fn host(address: Option<Address>) -> Result<String> {
    Ok(matching!(address, Some(Address::Inet(inet)) => inet.host))
}

async fn end(side: Side) -> Result {
    side.writer.close();
    Ok(side.writer.wait_closed().await?)
}

/// After a failed attempt the next one starts at once, whatever the delay.
async fn refused(port: u16) -> Result {
    for delay in [Some(HOUR), None] {
        let side = open(&ConnectOptions::new().happy_eyeballs_delay(delay), port).await?;
        same!(remote(&side)?, "127.0.0.4");
        end(side).await?;
    }
    Ok(())
}

/// Another attempt starts after the delay, and not before, if one gets no answer; the losing one is abandoned.
async fn black_hole(port: u16, input: &Reader) -> Result {
    let short = Duration::from_millis(40);
    for (options, delay) in [
        (ConnectOptions::new(), Duration::from_millis(250)),
        (ConnectOptions::new().happy_eyeballs_delay(short), short),
    ] {
        let begun = now();
        let side = open(&options, port).await?;
        let took = now().saturating_sub(begun);
        check!(took >= delay, "after {took:?} already");
        same!(remote(&side)?, "127.0.0.4");
        pause(input, "connected").await?;
        end(side).await?;
    }
    Ok(())
}

/// Without a delay, an attempt without an answer blocks the next one, until the deadline or the end of the call.
async fn one_after_another(port: u16, input: &Reader) -> Result {
    let patient = ConnectOptions::new().happy_eyeballs_delay(None);
    let late = patient.clone().deadline(Duration::from_millis(300));
    matching!(open(&late, port).await, Err(Error::DeadlineExceeded));
    pause(input, "late").await?;
    {
        let connecting = pin!(open(&patient, port));
        let told = pin!(pause(input, "waiting"));
        match select(connecting, told).await {
            Either::Left((connected, _)) => {
                return Err(Failure::new(format_args!("connected: {connected:?}")));
            }
            Either::Right((told, _)) => told?,
        }
    }
    pause(input, "given up").await
}

/// With a delay of zero all start at once, one wins, and the others' connections end without data.
async fn all_at_once(port: u16, input: &Reader) -> Result {
    let options = ConnectOptions::new().happy_eyeballs_delay(Duration::ZERO);
    for _ in 0..20 {
        let side = open(&options, port).await?;
        side.writer.send("hello\n").await?;
        same!(side.reader.readline().await?, b"hello\n");
        end(side).await?;
    }
    pause(input, "done").await
}

/// Each address has its own reason, in the order of the attempts: the families take turns.
async fn all_fail(port: u16) -> Result {
    for options in [
        ConnectOptions::new(),
        ConnectOptions::new().happy_eyeballs_delay(None),
        ConnectOptions::new().happy_eyeballs_delay(Duration::ZERO),
    ] {
        let options = options.local_address("127.0.0.5", 0);
        let attempts =
            matching!(open(&options, port).await, Err(Error::Connect(attempts)) => attempts);
        let reasons: Vec<_> = attempts
            .into_iter()
            .map(|ConnectAttempt { address, error }| Ok((host(Some(address))?, error.code)))
            .collect::<Result<_>>()?;
        same!(
            reasons,
            [
                ("127.0.0.2".to_owned(), NetworkCode::ConnectionRefused),
                // There is no local address of its family.
                ("::1".to_owned(), NetworkCode::AddressNotAvailable),
                // An address that cannot be reached (WASI refuses it).
                ("0.0.0.0".to_owned(), NetworkCode::Other),
                ("127.0.0.3".to_owned(), NetworkCode::ConnectionRefused),
            ]
        );
    }
    Ok(())
}

/// For each remote address, the local ones are tried in turn.
async fn local_addresses(port: u16) -> Result {
    let server = start_server(["127.0.0.9"], 0).await?;
    let taken = crate::port(&server)?;
    let options = ConnectOptions::new()
        .local_address("127.0.0.9", taken)
        .local_address("::1", 0)
        .local_address("127.0.0.10", 0)
        .local_address("127.0.0.11", 0);
    let side = open(&options, port).await?;
    same!(remote(&side)?, "127.0.0.4");
    same!(host(side.writer.sockname())?, "127.0.0.10");
    end(side).await
}
