//! Peers send without end and the program reads late; then the program writes without end and the peers do not read.
//! Together the connections hold no more than the component's bound. Connections that hold little continue.

use asyncio_streams::{
    ByteReader, Error, NetworkCode, Reader, Wanted, Writer, byte_stream, cli, wrap,
};
use asyncio_streams_test_programs::{
    Failure, Result, Side, check, follow, matching, pattern, peer, same, tcp,
};

asyncio_streams::run!(main);

const MEGABYTE: usize = 1 << 20;
/// The bound of all connections together.
const MOST: usize = 768 * MEGABYTE;
const LITTLE: usize = 128 * 1024;
/// The bound of one connection, in each direction.
const EACH: usize = 64 * MEGABYTE;
/// Bytes that are read from the network at once: any bound may be exceeded by so much.
const PIECE: usize = 64 * 1024;
/// More connections than fit.
const GREEDY: usize = 14;

async fn main() -> Result {
    unread().await?;
    given_away().await?;
    unsent().await?;
    // The test measures the memory of the program while it still runs.
    cli::println("done").await?;
    let (input, _) = cli::stdin().await?;
    input.read_to_end().await?;
    Ok(())
}

fn is_bound(error: &Error) -> bool {
    matches!(error, Error::Network(error) if error.code == NetworkCode::OutOfResources)
}

/// Two ends of a connection that holds little continue as usual.
async fn others_go_on() -> Result {
    let pair = tcp().await?;
    let (near, far) = (&pair.left, &pair.right);
    for number in 0..1000 {
        let line = format!("line {number} {}\n", "x".repeat(number));
        near.writer.send(&line).await?;
        far.writer.send(far.reader.readline().await?).await?;
        same!(near.reader.readline().await?, line.as_bytes());
    }
    near.writer.close();
    near.writer.wait_closed().await?;
    // Each connection may hold a minimum. Use a new one: bytes that were read count until the next call.
    let pair = tcp().await?;
    let (near, far) = (&pair.left, &pair.right);
    near.writer.write(pattern(0, LITTLE))?;
    matching!(near.writer.write("x"), Err(Error::BufferFull));
    follow(0, &far.reader.readexactly(LITTLE).await?)?;
    near.writer.close();
    near.writer.wait_closed().await?;
    Ok(())
}

/// Peers that send without end.
async fn unread() -> Result {
    let mut greedy: Vec<Side> = Vec::new();
    let bound = loop {
        check!(greedy.len() < GREEDY, "there is no bound");
        let side = peer().await?;
        let waited = side.reader.wait(Wanted::Exactly(EACH as u32)).await;
        greedy.push(side);
        if let Err(error) = waited {
            break error;
        }
    };
    check!(is_bound(&bound), "{bound:?}");
    let held: usize = greedy.iter().map(|side| side.reader.buffered()).sum();
    // The last one holds the minimum and one read more; the one that reached the bound, too, may have one read more.
    let most = MOST + LITTLE + 2 * PIECE;
    check!((MOST..most).contains(&held), "{held} bytes");
    // One more, if reads happen to end at the bounds.
    let fit = MOST / EACH;
    check!((fit..=fit + 1).contains(&greedy.len()), "{}", greedy.len());

    // The large ones get no more, in either direction; their bytes can be read.
    let Some(last) = greedy.pop() else {
        return Err(Failure::new("no connection holds bytes"));
    };
    let missing = last.reader.readexactly(EACH).await;
    check!(missing.as_ref().is_err_and(is_bound), "{missing:?}");
    matching!(last.writer.write("x"), Err(Error::BufferFull));
    others_go_on().await?;

    // When one of them ends and its bytes are dropped there is room again, and nothing was lost.
    greedy.remove(0).writer.abort();
    for part in 0..EACH / MEGABYTE {
        let bytes = last.reader.readexactly(MEGABYTE).await?;
        follow(part * MEGABYTE, &bytes)?;
    }
    last.writer.abort();
    greedy.iter().for_each(|side| side.writer.abort());
    Ok(())
}

/// Peers whose input was given away before it was read.
async fn given_away() -> Result {
    let mut given = Vec::new();
    let (bound, last) = loop {
        check!(given.len() < GREEDY, "there is no bound");
        let side = peer().await?;
        if let Err(error) = side.reader.wait(Wanted::Exactly(EACH as u32)).await {
            break (error, side);
        }
        given.push((side.reader.into_stream().await?, side.writer));
    };
    check!(is_bound(&bound), "{bound:?}");
    // The last one got less, unless reads happened to end at the bounds.
    let fit = MOST / EACH;
    check!((fit - 1..=fit).contains(&given.len()), "{}", given.len());
    others_go_on().await?;

    // Its buffered bytes are dropped with the reader.
    drop(last);
    // As many as otherwise, if reads happened to end at the bounds.
    if given.len() == fit
        && let Some(((data, end), writer)) = given.pop()
    {
        drop((data, writer));
        drop(end.await);
    }

    // They count until they are read, and nothing was lost.
    let Some(((mut data, end), writer)) = given.pop() else {
        return Err(Failure::new("nothing was given away"));
    };
    let mut position = 0;
    while position < 2 * EACH {
        let (_, bytes) = data.read(Vec::with_capacity(MEGABYTE)).await;
        position = follow(position, &bytes)?;
    }
    let side = peer().await?;
    side.reader.wait(Wanted::Exactly((EACH / 2) as u32)).await?;
    writer.abort();
    drop(data);
    // They are freed once the drop was noticed.
    drop(end.await);
    side.reader.wait(Wanted::Exactly(EACH as u32 - 1)).await?;
    drop(side);
    for ((data, end), writer) in given {
        drop((data, writer));
        drop(end.await);
    }
    Ok(())
}

/// A writer whose output is not read, filled to its own bound or to that of all; returns how much it took.
async fn fill(kept: &mut Vec<(Reader, Writer, ByteReader)>) -> Result<usize> {
    let (end, incoming) = byte_stream();
    drop(end);
    let (reader, writer, outgoing) = wrap(incoming).await?;
    let piece = vec![b'x'; LITTLE];
    let mut taken = 0;
    let error = loop {
        match writer.write(&piece) {
            Ok(()) => taken += piece.len(),
            Err(error) => break error,
        }
    };
    same!(error, Error::BufferFull);
    same!(writer.write_buffer_size(), taken);
    kept.push((reader, writer, outgoing));
    Ok(taken)
}

/// A caller that writes without end.
async fn unsent() -> Result {
    let mut greedy = Vec::new();
    for _ in 0..MOST / EACH {
        same!(fill(&mut greedy).await?, EACH);
    }
    same!(fill(&mut greedy).await?, LITTLE);
    others_go_on().await?;

    // The bytes of a stream are not taken either; the call fails instead of waiting for other connections.
    if let Some((_, writer, _)) = greedy.last() {
        let (mut from, data) = byte_stream();
        let (left, (taken, result)) =
            futures::join!(from.write_all(vec![0; MEGABYTE]), writer.write_stream(data));
        same!(result, Err(Error::BufferFull));
        same!(taken, 0);
        same!(left.len(), MEGABYTE);
    }

    // The output of the first one will never be read: its queue is dropped with it.
    let (_, writer, outgoing) = greedy.swap_remove(0);
    drop(outgoing);
    matching!(writer.wait_closed().await, Err(Error::Network(_)));
    drop(writer);
    same!(fill(&mut greedy).await?, EACH - LITTLE);
    Ok(())
}
