//! Thousands of calls are cancelled at any point with data in flight: every byte arrives once, in order.

use asyncio_streams::{Error, Reader, Waits, Wanted, Writer, spawn};
use asyncio_streams_test_programs::{
    Failure, Pair, Random, RawError, RawReader, Result, begun_and_dropped, check, crate_error,
    follow, memory, pattern, raw_reader, raw_writer, same, tcp, turns, within_turns,
};

asyncio_streams::run!(main);

const TOTAL: usize = 3 << 20;

async fn main() -> Result {
    for (seed, pair) in [(1, tcp().await?), (2, memory().await?), (3, tcp().await?)] {
        both_ways(seed, pair).await?;
    }
    Ok(())
}

async fn both_ways(seed: u64, pair: Pair) -> Result {
    let Pair { left, right } = pair;
    let sending = [
        spawn(send(seed, left.writer)),
        spawn(send(seed + 10, right.writer)),
    ];
    let (here, there) = futures::join!(
        receive(seed + 20, &right.reader),
        receive(seed + 30, &left.reader)
    );
    let (here, there) = (here?, there?);
    for given_up in [here, there] {
        check!(given_up > 1000, "only {given_up} reads were given up");
    }
    for task in sending {
        let (given_up, _writer) = task
            .await
            .ok_or_else(|| Failure::new("a sending task has gone"))??;
        check!(
            given_up > 200,
            "only {given_up} waits for the queue were given up"
        );
    }
    Ok(())
}

/// Sends the pattern in pieces of any size, and cancels about half of the waits for the queue. Returns how many.
async fn send(seed: u64, writer: Writer) -> Result<(usize, Writer)> {
    let mut random = Random::new(seed);
    // Every drain waits for an empty queue.
    writer.set_write_buffer_limits(Some(0), None)?;
    let (mut sent, mut given_up) = (0, 0);
    while sent < TOTAL {
        let most = [3, 10, 30, 100, 300, 3000, 30_000][random.below(7)];
        // Slowly, so that the other end often has to wait.
        turns(random.below(8)).await;
        let n = (1 + random.below(most)).min(TOTAL - sent);
        let piece = pattern(sent, n);
        sent += n;
        let patience = random.below(2);
        let answer = match random.below(6) {
            0 => {
                writer.write(piece)?;
                within_turns(patience, writer.drain()).await
            }
            1 => within_turns(patience, writer.send(piece)).await,
            2 => {
                writer.write(piece)?;
                within_turns(patience, writer.flush()).await
            }
            3 => {
                let interrupt = || writer.cancel(Waits::DRAIN | Waits::FLUSH);
                unless_cancelled(patience, raw_writer(&writer).send(piece), interrupt).await?
            }
            _ => {
                writer.writelines(&[&piece[..n / 2], &piece[n / 2..]])?;
                turns(patience).await;
                Some(Ok(()))
            }
        };
        match answer {
            Some(result) => result?,
            None => given_up += 1,
        }
        // The queue must stay within its bound, although this end is faster.
        if writer.write_buffer_size() > 1 << 20 {
            writer.drain().await?;
        }
    }
    writer.write_eof()?;
    writer.flush().await?;
    // Dropping the writer would close the connection, whose other direction has not ended.
    Ok((given_up, writer))
}

/// Reads in all ways, cancels most reads, and checks every byte. Returns how many were cancelled.
async fn receive(seed: u64, reader: &Reader) -> Result<usize> {
    let mut random = Random::new(seed);
    let (mut read, mut given_up) = (0, 0);
    loop {
        match one_read(&mut random, reader).await? {
            Some(bytes) if bytes.is_empty() => break,
            Some(bytes) => read = follow(read, &bytes)?,
            None => given_up += 1,
        }
    }
    same!(read, TOTAL);
    check!(reader.at_eof());
    Ok(given_up)
}

/// Returns `None` for a cancelled read, and nothing at the end.
async fn one_read(random: &mut Random, reader: &Reader) -> Result<Option<Vec<u8>>> {
    let raw = raw_reader(reader);
    let most = [5, 100, 1000, 30_000][random.below(4)];
    let n = 1 + random.below(most);
    let patience = random.below(4);
    let answer = match random.below(12) {
        // The crate's reads can be dropped at any point.
        0 => within_turns(patience, reader.read(n)).await,
        1 => within_turns(patience, reader.readline()).await,
        2 => within_turns(patience, reader.readexactly(n)).await,
        3 => within_turns(patience, reader.readuntil_any(&[b"\n", b"ab", b"\0\0"])).await,
        4 => within_turns(patience, reader.readlines(n)).await,
        // The interface's own reads, ended by `cancel` at any point.
        5 => interrupted(patience, raw, raw.read(Some(n as u32))).await?,
        6 => interrupted(patience, raw, raw.readexactly(n as u32)).await?,
        7 => interrupted(patience, raw, raw.readline()).await?,
        // Dropped before the first turn, when there cannot be a result yet.
        8 => begun_and_dropped(raw.read(Some(n as u32)))
            .await
            .map(|answer| answer.map_err(crate_error)),
        9 => begun_and_dropped(raw.readexactly(n as u32))
            .await
            .map(|answer| answer.map_err(crate_error)),
        // A wait consumes nothing, cancelled or not.
        _ => {
            let wanted = [
                Wanted::Any,
                Wanted::Line,
                Wanted::Exactly(n as u32),
                Wanted::End,
            ];
            let wanted = wanted
                .into_iter()
                .nth(random.below(4))
                .unwrap_or(Wanted::Any);
            // A wait for the end would buffer all input.
            let patience = if wanted == Wanted::End { 1 } else { patience };
            drop(within_turns(patience, raw.wait(wanted)).await);
            reader.try_read(n).transpose()
        }
    };
    match answer {
        None => Ok(None),
        Some(Ok(bytes)) => Ok(Some(bytes)),
        // At the end, the remaining bytes.
        Some(Err(Error::IncompleteRead(incomplete))) => Ok(Some(incomplete.partial)),
        Some(Err(error)) => Err(error.into()),
    }
}

async fn interrupted(
    patience: usize,
    reader: RawReader<'_>,
    call: impl Future<Output = std::result::Result<Vec<u8>, RawError>>,
) -> Result<Option<std::result::Result<Vec<u8>, Error>>> {
    unless_cancelled(patience, call, || reader.cancel()).await
}

/// Interrupts `call` after some turns, and waits until it has returned: `None` if it was cancelled.
async fn unless_cancelled<T>(
    patience: usize,
    call: impl Future<Output = std::result::Result<T, RawError>>,
    interrupt: impl Fn(),
) -> Result<Option<std::result::Result<T, Error>>> {
    let interrupting = async {
        turns(patience).await;
        interrupt();
    };
    let (answer, ()) = futures::join!(call, interrupting);
    Ok(match answer {
        Err(RawError::Cancelled) => None,
        other => Some(other.map_err(crate_error)),
    })
}
