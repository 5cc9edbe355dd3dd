//! A storm: many connections at once, of every kind, with calls cancelled at any point, aborts, and streams dropped
//! half-way. Each side receives a prefix of the sent bytes, and all of them if no side gave up.
//!
//! With certificates as arguments the connections are protected; without, they are plain.

use std::time::Duration;

use asyncio_streams::{Error, Reader, TlsVersion, Waits, Writer, byte_stream, cli, spawn, timeout};
use asyncio_streams_test_programs::{
    Certificates, Failure, Pair, Random, Result, Side, begun_and_dropped, check, follow, memory,
    pattern, tcp, tls_with, turns, upgraded, upgraded_memory, within_turns,
};
use futures::future::try_join_all;
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

const AT_ONCE: u64 = 8;
const ROUNDS: u64 = 16;

/// The most bytes that a side sends.
const MOST: usize = 150_000;

async fn main() -> Result {
    let certificates = if cli::arguments().is_empty() {
        None
    } else {
        Some(Certificates::from_arguments(0)?)
    };
    for round in 0..ROUNDS {
        let all = (0..AT_ONCE).map(|n| connection(round * AT_ONCE + n, certificates.as_ref()));
        timeout(Duration::from_secs(60), try_join_all(all))
            .await
            .map_err(|_| Failure::new(format_args!("round {round} does not end")))??;
    }
    Ok(())
}

/// The behaviour of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Sends everything and reads to the end.
    Honest,
    /// Aborts at some point.
    Aborts,
    /// Drops its reader at some point, and continues to send.
    DropsReader,
    /// Passes its input on at some point, and drops the stream at a later one.
    GivesAway,
}

async fn connection(seed: u64, certificates: Option<&Certificates>) -> Result {
    let mut random = Random::new(seed + 1);
    let Pair { left, right } = pair(seed, certificates).await?;
    let manner = |n: usize| match n {
        0 => Manner::Aborts,
        1 => Manner::DropsReader,
        2 => Manner::GivesAway,
        _ => Manner::Honest,
    };
    let (here, there) = (manner(random.below(6)), manner(random.below(6)));
    let lengths = [random.below(MOST), random.below(MOST)];
    let side = |side: Side, manner, seed, sends, gets, other: Manner| async move {
        let all = other != Manner::Aborts;
        let outcome = one_side(side, manner, Random::new(seed), sends, (gets, all)).await?;
        // Neither side may lose a byte unless one of them ends early.
        let excused = manner != Manner::Honest || other != Manner::Honest;
        check!(excused || outcome.is_ok(), "lost: {outcome:?}");
        Result::Ok(())
    };
    futures::try_join!(
        side(left, here, seed + 1000, lengths[0], lengths[1], there),
        side(right, there, seed + 2000, lengths[1], lengths[0], here)
    )
    .map(drop)
    .map_err(|failure| {
        Failure::new(format_args!(
            "seed {seed}, {here:?} and {there:?}: {failure}"
        ))
    })
}

async fn pair(seed: u64, certificates: Option<&Certificates>) -> Result<Pair> {
    let Some(certificates) = certificates else {
        return if seed.is_multiple_of(2) {
            tcp().await
        } else {
            memory().await
        };
    };
    let version = if seed.is_multiple_of(2) {
        TlsVersion::Tls12
    } else {
        TlsVersion::Tls13
    };
    let (client, server) = (certificates.client()?, certificates.server()?);
    client.set_versions(version, version)?;
    match seed / 2 % 3 {
        0 => tls_with(&client, &server).await,
        1 => upgraded(&client, &server).await,
        _ => upgraded_memory(&client, &server).await,
    }
}

/// Runs one side; returns how the connection ended for it. An error of the connection does not fail the test.
async fn one_side(
    Side { reader, writer }: Side,
    manner: Manner,
    mut random: Random,
    sends: usize,
    gets: (usize, bool),
) -> Result<std::result::Result<(), Error>> {
    let sending = spawn(send(
        writer,
        Random::new(random.below(1 << 20) as u64),
        manner,
        sends,
    ));
    let received = receive(reader, &mut random, manner, gets).await?;
    let (writer, sent) = sending
        .await
        .ok_or_else(|| Failure::new("a sending task has gone"))??;
    // Closing now would end reading too.
    writer.close();
    Ok(received.and(sent).and(writer.wait_closed().await))
}

async fn send(
    writer: Writer,
    mut random: Random,
    manner: Manner,
    sends: usize,
) -> Result<(Writer, std::result::Result<(), Error>)> {
    let stops = if manner == Manner::Aborts {
        random.below(sends + 1)
    } else {
        sends
    };
    let mut sent = 0;
    while sent < stops {
        turns(random.below(4)).await;
        let n = (1 + random.below(20_000)).min(stops - sent);
        match send_piece(&writer, &mut random, sent, n).await? {
            Ok(n) => sent += n,
            Err(error) => return Ok((writer, Err(error))),
        }
    }
    if manner == Manner::Aborts {
        writer.abort();
    }
    Ok((writer, Ok(())))
}

/// Sends a piece of the pattern in a random way, and often cancels the wait; returns how many bytes were queued.
async fn send_piece(
    writer: &Writer,
    random: &mut Random,
    sent: usize,
    n: usize,
) -> Result<std::result::Result<usize, Error>> {
    let piece = pattern(sent, n);
    let patience = random.below(3);
    if random.below(5) == 0 {
        return through_a_stream(writer, piece, patience).await;
    }
    if let Err(error) = writer.write(piece) {
        return Ok(Err(error));
    }
    let waited = match random.below(3) {
        0 => within_turns(patience, writer.drain()).await,
        1 => within_turns(patience, writer.flush()).await,
        _ => {
            let (waited, ()) = futures::join!(writer.drain(), async {
                turns(patience).await;
                writer.cancel(Waits::DRAIN);
            });
            Some(waited)
        }
    };
    Ok(match waited {
        None | Some(Ok(()) | Err(Error::Cancelled)) => Ok(n),
        Some(Err(error)) => Err(error),
    })
}

async fn through_a_stream(
    writer: &Writer,
    piece: Vec<u8>,
    patience: usize,
) -> Result<std::result::Result<usize, Error>> {
    let (mut feed, data) = byte_stream();
    let feeding = spawn(async move {
        drop(feed.write_all(piece).await);
    });
    let ((taken, result), ()) = futures::join!(writer.write_stream(data), async {
        turns(3 + patience * 3).await;
        writer.cancel(Waits::WRITE_STREAM);
    });
    feeding
        .await
        .ok_or_else(|| Failure::new("a feeding task has gone"))?;
    Ok(match result {
        Ok(()) | Err(Error::Cancelled) => Ok(taken as usize),
        Err(error) => Err(error),
    })
}

async fn receive(
    reader: Reader,
    random: &mut Random,
    manner: Manner,
    (gets, all): (usize, bool),
) -> Result<std::result::Result<(), Error>> {
    let gives_up = match manner {
        Manner::DropsReader | Manner::GivesAway => random.below(gets + 1),
        Manner::Honest | Manner::Aborts if all => gets,
        Manner::Honest | Manner::Aborts => usize::MAX,
    };
    let mut got = 0;
    while got < gives_up {
        match read_piece(&reader, random).await {
            None => {}
            Some(Ok(bytes)) if bytes.is_empty() => {
                let excused = !all || manner == Manner::Aborts;
                check!(got == gets || excused, "{got} of {gets} bytes");
                return Ok(Ok(()));
            }
            Some(Ok(bytes)) => got = follow(got, &bytes)?,
            Some(Err(error)) => return Ok(Err(error)),
        }
    }
    if manner == Manner::GivesAway
        && let Ok((mut stream, _outcome)) = reader.into_stream().await
    {
        let more = random.below(gets + 1);
        while got < more {
            let (result, bytes) = stream.read(Vec::with_capacity(5000)).await;
            got = follow(got, &bytes)?;
            if result == StreamResult::Dropped {
                break;
            }
        }
    }
    Ok(Ok(()))
}

/// Returns `None` for a cancelled read, and nothing at the end.
async fn read_piece(
    reader: &Reader,
    random: &mut Random,
) -> Option<std::result::Result<Vec<u8>, Error>> {
    let n = 1 + random.below(20_000);
    let patience = random.below(4);
    let raw = reader.raw();
    match random.below(4) {
        0 => within_turns(patience, reader.read(n)).await,
        1 => begun_and_dropped(raw.read(Some(n as u32)))
            .await
            .map(|answer| answer.map_err(Error::from)),
        2 => {
            let (answer, ()) = futures::join!(raw.read(Some(n as u32)), async {
                turns(patience).await;
                raw.cancel();
            });
            match answer.map_err(Error::from) {
                Err(Error::Cancelled) => None,
                answer => Some(answer),
            }
        }
        _ => Some(reader.read(n).await),
    }
}
