//! One wait for many events: each is reported until it is removed, and a wait that is dropped at any moment loses none.

use std::pin::pin;

use asyncio_streams::bindings::numbers::{self, Event, StandingWait};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::{ServerOptions, Wanted, open_connection};
use asyncio_streams_test_programs::{
    Pair, Result, clog, matching, pending, port, same, tcp, within_turns,
};

asyncio_streams::run!(main);

const ANY: Event = Event::Input(Wanted::Any);

async fn main() -> Result {
    keys().await?;
    dropped_at_any_turn().await?;
    writers().await?;
    servers().await?;
    dropped_resources().await?;
    two_at_once().await
}

fn number(pair: &Pair) -> u64 {
    numbers::reader_number(pair.right.reader.raw())
}

async fn keys() -> Result {
    let pair = tcp().await?;
    let (waits, input) = (StandingWait::new(), number(&pair));
    let to = waits.number();
    same!(numbers::remove(to, 7)?, false);
    matching!(
        numbers::add(to, 7, input, &Event::Drained),
        Err(Error::InvalidArgument(_))
    );
    matching!(
        numbers::add(to, 7, input, &Event::Input(Wanted::Until(vec![Vec::new()]))),
        Err(Error::InvalidArgument(_))
    );
    // Nothing was added, so there is nothing to report.
    same!(within_turns(8, waits.wait()).await.is_none(), true);

    numbers::add(to, 7, input, &Event::Input(Wanted::Line))?;
    // The wait begins with the first call.
    same!(numbers::try_read(input, 1)?, None);
    {
        let mut waiting = pin!(waits.wait());
        pending(waiting.as_mut())?;
        matching!(numbers::try_read(input, 1), Err(Error::Busy));
        matching!(waits.wait().await, Err(Error::Busy));
        pair.left.writer.write("half")?;
        same!(within_turns(8, waiting.as_mut()).await.is_none(), true);
        waits.cancel();
        matching!(waiting.await, Err(Error::Cancelled));
    }
    pair.left.writer.write(" line\n")?;
    same!(waits.wait().await?, vec![7]);
    // It is reported until it is removed, whatever happens to its reader.
    same!(waits.wait().await?, vec![7]);
    same!(numbers::try_readline(input)?, Some(b"half line\n".to_vec()));
    same!(waits.wait().await?, vec![7]);
    same!(numbers::remove(to, 7)?, true);
    same!(numbers::remove(to, 7)?, false);

    // Replaced before it was over: only the new one counts.
    numbers::add(to, 7, input, &Event::Input(Wanted::Exactly(100)))?;
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    matching!(numbers::try_read(input, 1), Err(Error::Busy));
    numbers::add(to, 7, input, &ANY)?;
    same!(numbers::try_read(input, 1)?, None);
    pair.left.writer.write("x")?;
    same!(waits.wait().await?, vec![7]);
    // Added anew after it was reported: it is over at once while the byte is there.
    numbers::add(to, 7, input, &ANY)?;
    same!(waits.wait().await?, vec![7]);
    same!(numbers::try_read(input, 9)?, Some(b"x".to_vec()));
    numbers::add(to, 7, input, &ANY)?;
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    // Removed while it waits: the reader is free.
    same!(numbers::remove(to, 7)?, false);
    same!(numbers::try_read(input, 9)?, None);

    // Another read came first.
    let mut reading = pin!(pair.right.reader.raw().readline());
    pending(reading.as_mut())?;
    numbers::add(to, 8, input, &ANY)?;
    same!(waits.wait().await?, vec![8]);
    matching!(numbers::remove(to, 8), Err(Error::Busy));
    pair.left.writer.write("end\n")?;
    same!(reading.await?, b"end\n".to_vec());

    // `reader.cancel` concerns this wait too.
    numbers::add(to, 9, input, &ANY)?;
    let mut waiting = pin!(waits.wait());
    pending(waiting.as_mut())?;
    pair.right.reader.cancel();
    same!(waiting.await?, vec![9]);
    matching!(numbers::remove(to, 9), Err(Error::Cancelled));
    Ok(())
}

/// Messages of several connections, with a wait that is given up after any number of turns.
async fn dropped_at_any_turn() -> Result {
    let pairs = [tcp().await?, tcp().await?, tcp().await?];
    let waits = StandingWait::new();
    let to = waits.number();
    for (key, pair) in (0..).zip(&pairs) {
        numbers::add(to, key, number(pair), &ANY)?;
    }
    let mut seen = [0_usize; 3];
    for round in 0..60 {
        for (which, pair) in pairs.iter().enumerate() {
            if round % (which + 1) == 0 {
                pair.left.writer.write([which as u8])?;
            }
        }
        // The result may be on its way when the call is dropped.
        drop(within_turns(round % 12, waits.wait()).await);
        if round % 5 != 4 {
            continue;
        }
        let expected = [round + 1, round / 2 + 1, round / 3 + 1];
        while seen != expected {
            for key in waits.wait().await? {
                let pair = &pairs[key as usize];
                let bytes = numbers::try_read(number(pair), 100)?.unwrap_or_default();
                same!(bytes.iter().all(|byte| u64::from(*byte) == key), true);
                seen[key as usize] += bytes.len();
                numbers::add(to, key, number(pair), &ANY)?;
            }
        }
    }
    Ok(())
}

async fn writers() -> Result {
    let pair = tcp().await?;
    let (waits, output) = (
        StandingWait::new(),
        numbers::writer_number(pair.left.writer.raw()),
    );
    let to = waits.number();
    numbers::add(to, 1, output, &Event::Drained)?;
    same!(waits.wait().await?, vec![1]);
    same!(numbers::remove(to, 1)?, true);
    // The peer takes nothing: neither is over.
    clog(&pair.left.writer)?;
    numbers::add(to, 1, output, &Event::Drained)?;
    numbers::add(to, 2, output, &Event::Flushed)?;
    numbers::add(to, 3, output, &Event::Closed)?;
    same!(within_turns(50, waits.wait()).await.is_none(), true);
    pair.left.writer.cancel(asyncio_streams::Waits::FLUSH);
    same!(waits.wait().await?, vec![2]);
    matching!(numbers::remove(to, 2), Err(Error::Cancelled));
    pair.left.writer.abort();
    let mut keys = waits.wait().await?;
    keys.sort_unstable();
    same!(keys, vec![1, 3]);
    matching!(numbers::remove(to, 1), Err(Error::Closed));
    matching!(numbers::remove(to, 3), Err(Error::Closed));
    Ok(())
}

async fn servers() -> Result {
    let server = ServerOptions::new().start_server(["127.0.0.1"], 0).await?;
    let (waits, listener) = (StandingWait::new(), numbers::server_number(server.raw()));
    let to = waits.number();
    numbers::add(to, 5, listener, &Event::Connection)?;
    same!(within_turns(8, waits.wait()).await.is_none(), true);
    let (_reader, _writer) = open_connection("127.0.0.1", port(&server)?).await?;
    same!(waits.wait().await?, vec![5]);
    same!(server.try_accept()?.is_some(), true);
    same!(server.try_accept()?.is_none(), true);
    numbers::add(to, 5, listener, &Event::Connection)?;
    let mut waiting = pin!(waits.wait());
    pending(waiting.as_mut())?;
    server.close();
    same!(waiting.await?, vec![5]);
    matching!(numbers::remove(to, 5), Err(Error::Closed));
    Ok(())
}

/// A resource that is dropped ends the waits for it, and they keep nothing of it.
async fn dropped_resources() -> Result {
    let pair = tcp().await?;
    let waits = StandingWait::new();
    let to = waits.number();
    numbers::add(to, 1, number(&pair), &ANY)?;
    {
        let mut waiting = pin!(waits.wait());
        pending(waiting.as_mut())?;
        drop(pair.right.reader);
        same!(waiting.await?, vec![1]);
    }
    matching!(numbers::remove(to, 1), Err(Error::Cancelled));
    // Input of a dropped reader is discarded: everything leaves.
    pair.left.writer.write(vec![0; 8 << 20])?;
    pair.left.writer.flush().await?;

    // A standing wait that is dropped frees its readers.
    let other = tcp().await?;
    numbers::add(to, 2, number(&other), &ANY)?;
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    matching!(numbers::try_read(number(&other), 1), Err(Error::Busy));
    drop(waits);
    matching!(numbers::remove(to, 2), Err(Error::InvalidArgument(_)));
    other.left.writer.write("after")?;
    same!(other.right.reader.readexactly(5).await?, b"after".to_vec());
    Ok(())
}

/// Two standing waits do not meet.
async fn two_at_once() -> Result {
    let (a, b) = (tcp().await?, tcp().await?);
    let (first, second) = (StandingWait::new(), StandingWait::new());
    numbers::add(first.number(), 1, number(&a), &ANY)?;
    numbers::add(second.number(), 1, number(&b), &ANY)?;
    let (mut one, mut two) = (pin!(first.wait()), pin!(second.wait()));
    pending(one.as_mut())?;
    pending(two.as_mut())?;
    b.left.writer.write("b")?;
    same!(two.await?, vec![1]);
    pending(one.as_mut())?;
    a.left.writer.write("a")?;
    same!(one.await?, vec![1]);
    same!(numbers::try_read(number(&a), 9)?, Some(b"a".to_vec()));
    same!(numbers::try_read(number(&b), 9)?, Some(b"b".to_vec()));
    Ok(())
}
