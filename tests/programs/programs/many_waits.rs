//! Many tasks wait at once: each is woken for its own connection, and waits that are given up leave nothing behind.

use asyncio_streams::{Error, spawn, start_server};
use asyncio_streams_test_programs::{
    Pair, Result, check, clog, matching, memory, same, tcp, tcp_of, turns, within_turns,
};
use futures::future::{join, join_all, try_join_all};

asyncio_streams::run!(main);

const CONNECTIONS: usize = 20;

async fn main() -> Result {
    all_answer().await?;
    all_end_together().await?;
    given_up_again_and_again().await?;
    only_one_reads().await?;
    writers_wait_too().await?;
    server_cancelled().await?;
    passed_on().await
}

async fn pairs() -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for _ in 0..CONNECTIONS {
        pairs.push(tcp().await?);
    }
    Ok(pairs)
}

/// Reads lines and sends them back, until the end.
async fn echo(pair: &Pair) -> Result {
    loop {
        let line = pair.right.reader.readline().await?;
        if line.is_empty() {
            return Ok(pair.right.writer.write_eof()?);
        }
        pair.right.writer.write(line)?;
        pair.right.writer.drain().await?;
    }
}

async fn ask(pair: &Pair, of: usize) -> Result {
    let (reader, writer) = (&pair.left.reader, &pair.left.writer);
    for round in 0..10 {
        let line = format!("{of} {round}\n");
        // The second half is written while the reader waits.
        let (first, second) = line.split_at(2);
        writer.write(first)?;
        let (answer, written) = join(reader.readline(), async { writer.write(second) }).await;
        written?;
        same!(answer?, line.as_bytes());
    }
    writer.write_eof()?;
    same!(reader.readline().await?, b"");
    Ok(())
}

async fn all_answer() -> Result {
    let pairs = pairs().await?;
    let servers = try_join_all(pairs.iter().map(echo));
    let clients = try_join_all(pairs.iter().enumerate().map(|(of, pair)| ask(pair, of)));
    let (served, asked) = join(servers, clients).await;
    served?;
    asked?;
    Ok(())
}

/// Connections that end in the same turn, each read by a task of its own.
async fn all_end_together() -> Result {
    for _ in 0..3 {
        let (mut tasks, mut peers) = (Vec::new(), Vec::new());
        for Pair { left, right } in pairs().await? {
            tasks.push(spawn(async move {
                let (reader, _writer) = (right.reader, right.writer);
                reader.read_to_end().await
            }));
            peers.push(left);
        }
        // The tasks wait now.
        same!(within_turns(4, &mut tasks[0]).await.is_none(), true);
        drop(peers);
        for ended in join_all(tasks).await {
            same!(ended.transpose()?.unwrap_or_default(), b"");
        }
    }
    Ok(())
}

/// A wait that is dropped takes no byte, and others go on.
async fn given_up_again_and_again() -> Result {
    let pairs = pairs().await?;
    let waiting = join_all(
        pairs
            .iter()
            .skip(1)
            .map(|pair| pair.right.reader.readline()),
    );
    let first = async {
        let reader = &pairs[0].right.reader;
        for _ in 0..2_500 {
            check!(within_turns(1, reader.readline()).await.is_none());
        }
        for pair in &pairs {
            pair.left.writer.write("still here\n")?;
        }
        same!(reader.readline().await?, b"still here\n");
        Result::Ok(())
    };
    let (lines, first) = join(waiting, first).await;
    first?;
    for line in lines {
        same!(line?, b"still here\n");
    }
    Ok(())
}

async fn only_one_reads() -> Result {
    for pair in [tcp().await?, memory().await?] {
        let reader = &pair.right.reader;
        let (first, second) = join(reader.readline(), async {
            matching!(reader.readline().await, Err(Error::Busy));
            matching!(reader.try_read(1), Err(Error::Busy));
            matching!(reader.discard(1), Err(Error::Busy));
            pair.left.writer.write("line\n")?;
            Result::Ok(())
        })
        .await;
        second?;
        same!(first?, b"line\n");

        // `cancel` ends the wait that is pending, and no later one.
        let (cancelled, ()) = join(reader.readline(), async { reader.cancel() }).await;
        matching!(cancelled, Err(Error::Cancelled));
        pair.left.writer.write("after\n")?;
        same!(reader.readline().await?, b"after\n");
    }
    Ok(())
}

async fn writers_wait_too() -> Result {
    let pair = tcp().await?;
    let writer = &pair.left.writer;
    let bytes = clog(writer)?;
    let (first, second, read) = futures::join!(writer.drain(), writer.drain(), async {
        let mut read = 0;
        while read < bytes {
            read += pair.right.reader.read(1 << 20).await?.len();
        }
        Ok::<_, Error>(read)
    });
    first?;
    second?;
    same!(read?, bytes);

    clog(writer)?;
    let (cancelled, ()) = join(writer.drain(), async {
        writer.cancel(asyncio_streams::Waits::DRAIN);
    })
    .await;
    matching!(cancelled, Err(Error::Cancelled));
    Ok(())
}

/// `cancel` ends an accept of the same turn, and no later one.
async fn server_cancelled() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    for patience in 0..3 {
        let (accepted, ()) = join(within_turns(50, server.accept()), async {
            turns(patience).await;
            server.cancel();
        })
        .await;
        matching!(accepted, Some(Err(Error::Cancelled)));
    }
    server.cancel();
    tcp_of(&server).await?;
    Ok(())
}

/// A reader that has waited is passed on, and dropped.
async fn passed_on() -> Result {
    let pairs = pairs().await?;
    for pair in &pairs {
        check!(
            within_turns(2, pair.right.reader.readline())
                .await
                .is_none()
        );
        pair.left.writer.write("rest")?;
        pair.left.writer.write_eof()?;
    }
    for (of, pair) in pairs.into_iter().enumerate() {
        if of % 2 == 0 {
            continue;
        }
        let (rest, end) = pair.right.reader.into_stream().await?;
        same!(rest.collect().await, b"rest");
        end.await?;
    }
    Ok(())
}
