//! A watch that reports by a stream, and by `ready`: each event once until it is waited for again, and no key is lost.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use asyncio_streams::bindings::numbers::{self, Event, Watch};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::wit_bindgen::{StreamReader, StreamResult};
use asyncio_streams::{ByteReader, Reader, Wanted, Writer, byte_stream, now, wrap};
use asyncio_streams_test_programs::{
    Failure, Pair, Result, matching, pending, same, tcp, turns, within_turns,
};

asyncio_streams::run!(main);

const ANY: Event = Event::Readable(Wanted::Any);

/// Far longer than a byte takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// More keys than one read takes.
const MANY: u32 = 300;

async fn main() -> Result {
    in_place_of_the_wait().await?;
    once_until_again().await?;
    errors().await?;
    given_up_reads().await?;
    many().await?;
    removed_while_it_arrives().await?;
    ends().await
}

fn number(pair: &Pair) -> u64 {
    numbers::reader_number(pair.right.reader.raw())
}

/// Begins the new waits, and returns the keys of events that are there, by either way.
async fn read(watch: &Watch, keys: &mut StreamReader<u32>) -> Result<Vec<u32>> {
    let there = numbers::ready(watch.number())?;
    if !there.is_empty() {
        return Ok(there);
    }
    let (result, read) = keys.read(Vec::with_capacity(16)).await;
    matching!(result, StreamResult::Complete(_));
    Ok(read)
}

/// Begins the new waits, whose events are not there.
fn begin(watch: &Watch) -> Result {
    same!(numbers::ready(watch.number())?, Vec::<u32>::new());
    Ok(())
}

/// Fails if a key arrives.
async fn silent(keys: &mut StreamReader<u32>) -> Result {
    let mut reading = pin!(keys.read(Vec::with_capacity(16)));
    if let Some((_, read)) = within_turns(20, reading.as_mut()).await {
        return Err(Failure::new(format_args!("not expected: {read:?}")));
    }
    let (_, read) = reading.as_mut().cancel();
    same!(read, Vec::<u32>::new());
    Ok(())
}

async fn in_place_of_the_wait() -> Result {
    let watch = Watch::new();
    {
        let mut waiting = pin!(watch.wait());
        pending(waiting.as_mut())?;
        matching!(watch.reports().await, Err(Error::Busy));
    }
    let _keys = watch.reports().await?;
    matching!(watch.reports().await, Err(Error::Busy));
    matching!(watch.wait().await, Err(Error::Busy));
    // No wait is pending.
    watch.cancel();
    Ok(())
}

async fn once_until_again() -> Result {
    let pair = tcp().await?;
    let (watch, input) = (Watch::new(), number(&pair));
    let to = watch.number();
    matching!(numbers::again(to, 7), Err(Error::InvalidArgument(_)));
    matching!(numbers::again(input, 7), Err(Error::InvalidArgument(_)));
    matching!(numbers::again(to ^ 1, 7), Err(Error::InvalidArgument(_)));
    let mut keys = watch.reports().await?;
    numbers::add(to, input, &Event::Readable(Wanted::Line), 7)?;
    begin(&watch)?;
    // The wait has begun.
    matching!(numbers::try_read(input, 1), Err(Error::Busy));
    pair.left.writer.write("one\ntwo\nthr")?;
    same!(read(&watch, &mut keys).await?, vec![7]);
    same!(numbers::try_readline(input)?, Some(b"one\n".to_vec()));
    silent(&mut keys).await?;
    // It is there still.
    numbers::again(to, 7)?;
    same!(numbers::ready(to)?, vec![7]);
    same!(numbers::ready(to)?, Vec::<u32>::new());
    same!(numbers::try_readline(input)?, Some(b"two\n".to_vec()));
    numbers::again(to, 7)?;
    numbers::again(to, 7)?;
    begin(&watch)?;
    silent(&mut keys).await?;
    pair.left.writer.write("ee\n")?;
    same!(read(&watch, &mut keys).await?, vec![7]);
    same!(numbers::remove(to, 7)?, true);
    matching!(numbers::again(to, 7), Err(Error::InvalidArgument(_)));
    same!(numbers::try_readline(input)?, Some(b"three\n".to_vec()));
    Ok(())
}

async fn errors() -> Result {
    let pair = tcp().await?;
    let (watch, input) = (Watch::new(), number(&pair));
    let to = watch.number();
    let mut keys = watch.reports().await?;
    numbers::add(to, input, &ANY, 1)?;
    begin(&watch)?;
    drop(pair.right.reader);
    same!(read(&watch, &mut keys).await?, vec![1]);
    // It is reported as often as it is asked for.
    numbers::again(to, 1)?;
    same!(read(&watch, &mut keys).await?, vec![1]);
    matching!(numbers::remove(to, 1), Err(Error::Cancelled));

    // Another read came first.
    let pair = tcp().await?;
    let mut reading = pin!(pair.right.reader.raw().readline());
    pending(reading.as_mut())?;
    numbers::add(to, number(&pair), &ANY, 2)?;
    same!(read(&watch, &mut keys).await?, vec![2]);
    matching!(numbers::remove(to, 2), Err(Error::Busy));
    Ok(())
}

/// Reads that are given up after any number of turns.
async fn given_up_reads() -> Result {
    let pair = tcp().await?;
    let (watch, input) = (Watch::new(), number(&pair));
    let to = watch.number();
    let mut keys = watch.reports().await?;
    numbers::add(to, input, &ANY, 3)?;
    for round in 0..40 {
        begin(&watch)?;
        pair.left.writer.write([round])?;
        let reported = {
            let mut reading = pin!(keys.read(Vec::with_capacity(4)));
            match within_turns(usize::from(round) % 9, reading.as_mut()).await {
                Some((_, read)) => read,
                None => reading.as_mut().cancel().1,
            }
        };
        if reported.is_empty() {
            same!(read(&watch, &mut keys).await?, vec![3]);
        }
        same!(numbers::try_read(input, 9)?, Some(vec![round]));
        numbers::again(to, 3)?;
    }
    Ok(())
}

async fn connect() -> Result<(asyncio_streams::ByteWriter, Reader, Writer, ByteReader)> {
    let (peer, incoming) = byte_stream();
    let (reader, writer, outgoing) = wrap(incoming).await?;
    Ok((peer, reader, writer, outgoing))
}

async fn many() -> Result {
    let watch = Watch::new();
    let mut keys = watch.reports().await?;
    let mut connections = Vec::new();
    for key in 0..MANY {
        let (peer, reader, writer, outgoing) = connect().await?;
        let input = numbers::reader_number(reader.raw());
        numbers::add(watch.number(), input, &ANY, key)?;
        connections.push((peer, reader, writer, outgoing));
    }
    begin(&watch)?;
    for (peer, ..) in &mut connections {
        same!(peer.write_all(vec![b'x']).await.len(), 0);
    }
    turns(3).await;
    let mut reported = Vec::new();
    while reported.len() < MANY as usize {
        // One key at a time, too.
        let room = 1 + reported.len() % 16;
        let (result, mut read) = keys.read(Vec::with_capacity(room)).await;
        matching!(result, StreamResult::Complete(_));
        reported.append(&mut read);
    }
    reported.sort_unstable();
    same!(reported, (0..MANY).collect::<Vec<_>>());
    silent(&mut keys).await
}

/// Bytes are on their way to an event when a call of the same turn removes it.
async fn removed_while_it_arrives() -> Result {
    let watch = Watch::new();
    let mut keys = watch.reports().await?;
    let (mut peer, reader, _writer, _outgoing) = connect().await?;
    let input = numbers::reader_number(reader.raw());
    for round in 0..5 {
        numbers::add(watch.number(), input, &ANY, round)?;
        begin(&watch)?;
        let writing = pin!(peer.write_all(vec![b'x']));
        matching!(futures::poll!(writing), Poll::Ready(rest) if rest.is_empty());
        same!(numbers::remove(watch.number(), round)?, false);
        silent(&mut keys).await?;
        same!(reader.readexactly(1).await?, b"x".to_vec());
    }
    Ok(())
}

/// Either end is dropped while the other one is used.
async fn ends() -> Result {
    let pair = tcp().await?;
    let watch = Watch::new();
    let keys = watch.reports().await?;
    numbers::add(watch.number(), number(&pair), &ANY, 1)?;
    begin(&watch)?;
    drop(keys);
    pair.left.writer.write("x")?;
    pair.left.writer.flush().await?;
    // The stream may have taken the report with it, and the byte may still be on its way.
    let end = now() + DEADLINE;
    let there = loop {
        numbers::again(watch.number(), 1)?;
        let there = numbers::ready(watch.number())?;
        if !there.is_empty() || now() > end {
            break there;
        }
        turns(1).await;
    };
    same!(there, [1]);
    same!(numbers::remove(watch.number(), 1)?, true);
    same!(pair.right.reader.readexactly(1).await?, b"x".to_vec());
    drop(watch);

    let watch = Watch::new();
    let mut keys = watch.reports().await?;
    numbers::add(watch.number(), number(&pair), &ANY, 1)?;
    begin(&watch)?;
    let mut reading = pin!(keys.read(Vec::with_capacity(1)));
    pending(reading.as_mut())?;
    drop(watch);
    let (result, read) = reading.await;
    matching!(result, StreamResult::Dropped);
    same!(read, Vec::<u32>::new());
    // The reader is free.
    pair.left.writer.write("y")?;
    same!(pair.right.reader.readexactly(1).await?, b"y".to_vec());
    Ok(())
}
