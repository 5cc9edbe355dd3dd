//! One wait for many events: each is reported as long as it is there, and a wait that is dropped at any moment loses none.

use std::pin::pin;

use asyncio_streams::bindings::numbers::{self, Event, Watch};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::{ServerOptions, Wanted, open_connection};
use asyncio_streams_test_programs::{
    Pair, Result, clog, matching, pending, port, same, tcp, within_turns,
};

asyncio_streams::run!(main);

const ANY: Event = Event::Readable(Wanted::Any);

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
    let (waits, input) = (Watch::new(), number(&pair));
    let to = waits.number();
    same!(numbers::remove(to, 7)?, false);
    matching!(
        numbers::add(to, input, &Event::Drained, 7),
        Err(Error::InvalidArgument(_))
    );
    matching!(
        numbers::add(
            to,
            input,
            &Event::Readable(Wanted::Until(vec![Vec::new()])),
            7
        ),
        Err(Error::InvalidArgument(_))
    );
    // Nothing was added, so there is nothing to report.
    same!(within_turns(8, waits.wait()).await.is_none(), true);

    numbers::add(to, input, &Event::Readable(Wanted::Line), 7)?;
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
    // It is reported until the line is read, and when there is another one.
    same!(waits.wait().await?, vec![7]);
    same!(numbers::try_readline(input)?, Some(b"half line\n".to_vec()));
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    pair.left.writer.write("another\n")?;
    same!(waits.wait().await?, vec![7]);
    same!(numbers::remove(to, 7)?, true);
    same!(numbers::remove(to, 7)?, false);
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    same!(numbers::try_readline(input)?, Some(b"another\n".to_vec()));

    // Replaced before it was over: only the new one counts.
    numbers::add(to, input, &Event::Readable(Wanted::Exactly(100)), 7)?;
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    matching!(numbers::try_read(input, 1), Err(Error::Busy));
    numbers::add(to, input, &ANY, 7)?;
    same!(numbers::try_read(input, 1)?, None);
    pair.left.writer.write("x")?;
    same!(waits.wait().await?, vec![7]);
    // Added anew after it was reported: it is over at once while the byte is there.
    numbers::add(to, input, &ANY, 7)?;
    same!(waits.wait().await?, vec![7]);
    same!(numbers::try_read(input, 9)?, Some(b"x".to_vec()));
    numbers::add(to, input, &ANY, 7)?;
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    // Removed while it waits: the reader is free.
    same!(numbers::remove(to, 7)?, false);
    same!(numbers::try_read(input, 9)?, None);

    // Another read came first.
    let mut reading = pin!(pair.right.reader.raw().readline());
    pending(reading.as_mut())?;
    numbers::add(to, input, &ANY, 8)?;
    same!(waits.wait().await?, vec![8]);
    matching!(numbers::remove(to, 8), Err(Error::Busy));
    pair.left.writer.write("end\n")?;
    same!(reading.await?, b"end\n".to_vec());

    // `reader.cancel` concerns this wait too.
    numbers::add(to, input, &ANY, 9)?;
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
    let waits = Watch::new();
    let to = waits.number();
    for (key, pair) in (0..).zip(&pairs) {
        numbers::add(to, number(pair), &ANY, key)?;
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
                same!(bytes.iter().all(|byte| u32::from(*byte) == key), true);
                seen[key as usize] += bytes.len();
                numbers::add(to, number(pair), &ANY, key)?;
            }
        }
    }
    Ok(())
}

async fn writers() -> Result {
    let pair = tcp().await?;
    let (waits, output) = (Watch::new(), numbers::writer_number(pair.left.writer.raw()));
    let to = waits.number();
    numbers::add(to, output, &Event::Drained, 1)?;
    same!(waits.wait().await?, vec![1]);
    same!(numbers::remove(to, 1)?, true);
    // The peer takes nothing: neither is over.
    clog(&pair.left.writer)?;
    numbers::add(to, output, &Event::Drained, 1)?;
    numbers::add(to, output, &Event::Flushed, 2)?;
    numbers::add(to, output, &Event::Closed, 3)?;
    same!(within_turns(50, waits.wait()).await.is_none(), true);
    pair.left.writer.cancel(asyncio_streams::Waits::FLUSH);
    same!(waits.wait().await?, vec![2]);
    matching!(numbers::remove(to, 2), Err(Error::Cancelled));
    pair.left.writer.abort();
    same!(waits.wait().await?, vec![1, 3]);
    matching!(numbers::remove(to, 1), Err(Error::Closed));
    matching!(numbers::remove(to, 3), Err(Error::Closed));
    Ok(())
}

async fn servers() -> Result {
    let server = ServerOptions::new().start_server(["127.0.0.1"], 0).await?;
    let (waits, listener) = (Watch::new(), numbers::server_number(server.raw()));
    let to = waits.number();
    numbers::add(to, listener, &Event::Connection, 5)?;
    same!(within_turns(8, waits.wait()).await.is_none(), true);
    let (_reader, _writer) = open_connection("127.0.0.1", port(&server)?).await?;
    same!(waits.wait().await?, vec![5]);
    same!(server.try_accept()?.is_some(), true);
    same!(server.try_accept()?.is_none(), true);
    numbers::add(to, listener, &Event::Connection, 5)?;
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
    let waits = Watch::new();
    let to = waits.number();
    numbers::add(to, number(&pair), &ANY, 1)?;
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

    // A watch that is dropped frees its readers.
    let other = tcp().await?;
    numbers::add(to, number(&other), &ANY, 2)?;
    same!(within_turns(4, waits.wait()).await.is_none(), true);
    matching!(numbers::try_read(number(&other), 1), Err(Error::Busy));
    drop(waits);
    matching!(numbers::remove(to, 2), Err(Error::InvalidArgument(_)));
    other.left.writer.write("after")?;
    same!(other.right.reader.readexactly(5).await?, b"after".to_vec());
    Ok(())
}

/// Two watches do not meet.
async fn two_at_once() -> Result {
    let (a, b) = (tcp().await?, tcp().await?);
    let (first, second) = (Watch::new(), Watch::new());
    numbers::add(first.number(), number(&a), &ANY, 1)?;
    numbers::add(second.number(), number(&b), &ANY, 1)?;
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
