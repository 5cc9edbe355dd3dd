//! Many short lines, read one by one and through `lines`: all of them, in order, between other reads too.

use std::pin::pin;

use asyncio_streams::{ConnectOptions, Error, ServerOptions, Wanted, spawn};
use asyncio_streams_test_programs::{
    Failure, Result, check, matching, pending, same, tcp, tcp_with,
};

asyncio_streams::run!(main);

const LINES: usize = 20_000;

async fn main() -> Result {
    many().await?;
    between_other_reads().await
}

async fn many() -> Result {
    let pair = tcp().await?;
    let writer = pair.left.writer;
    let sending = spawn(async move {
        for number in 0..LINES {
            writer.write(format!("line {number}\n"))?;
            if number % 100 == 0 {
                writer.drain().await?;
            }
        }
        writer.close();
        writer.wait_closed().await
    });
    let reader = pair.right.reader;
    for number in 0..LINES / 2 {
        same!(
            reader.readline().await?,
            format!("line {number}\n").into_bytes()
        );
    }
    let mut lines = reader.lines();
    for number in LINES / 2..LINES {
        let line = lines.next().await?;
        same!(line, Some(format!("line {number}\n").as_bytes()));
    }
    same!(lines.next().await?, None);
    check!(reader.at_eof());
    sending
        .await
        .ok_or_else(|| Failure::new("the sending task has gone"))??;
    Ok(())
}

/// A line that was lent is taken for every other call, and what other calls take is not lent.
async fn between_other_reads() -> Result {
    let options = ConnectOptions::new().limit(8);
    let pair = tcp_with(&options, &ServerOptions::new()).await?;
    let (reader, writer) = (pair.left.reader, pair.right.writer);
    writer.write("one\ntwo\nthree\n4\nfive\nsix\nmuch too long\nafter\nhalf")?;
    reader.wait(Wanted::Exactly(49)).await?;

    let mut lines = reader.lines();
    same!(lines.next().await?, Some(&b"one\n"[..]));
    same!(lines.next().await?, Some(&b"two\n"[..]));
    same!(reader.buffered(), 41);
    same!(reader.peek(5), b"three");
    same!(reader.readexactly(2).await?, b"th");
    same!(lines.next().await?, Some(&b"ree\n"[..]));
    same!(reader.try_readline()?, Some(b"4\n".to_vec()));
    same!(lines.next().await?, Some(&b"five\n"[..]));
    let mut others = reader.lines();
    same!(others.next().await?, Some(&b"six\n"[..]));
    for _ in 0..2 {
        matching!(lines.next().await, Err(Error::LimitOverrun(_)));
    }
    same!(reader.discard(9)?, 9);
    same!(lines.next().await?, Some(&b"long\n"[..]));
    same!(others.next().await?, Some(&b"after\n"[..]));
    {
        // The line has no end yet, and the reader is busy until it comes.
        let mut next = pin!(lines.next());
        pending(next.as_mut())?;
        matching!(others.next().await, Err(Error::Busy));
    }
    writer.write(" a line\n")?;
    matching!(lines.next().await, Err(Error::LimitOverrun(_)));
    same!(reader.discard(4)?, 4);
    same!(lines.next().await?, Some(&b" a line\n"[..]));
    writer.close();
    same!(others.next().await?, None);
    check!(reader.at_eof());
    Ok(())
}
