//! Crates that use only futures-io's traits: `futures` and `asynchronous-codec`.

use asynchronous_codec::{Framed, FramedWrite, LengthCodec, LinesCodec};
use asyncio_streams::io::Duplex;
use asyncio_streams_test_programs::{Pair, Result, follow, pattern, same, tcp, writes};
use bytes::Bytes;
use futures::io::{
    AllowStdIo, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufWriter, Cursor,
};
use futures::{SinkExt as _, TryStreamExt as _, join};

asyncio_streams::run!(main);

async fn main() -> Result {
    copied().await?;
    lines().await?;
    frames().await
}

/// `futures::io::copy`, there and back.
async fn copied() -> Result {
    const TOTAL: usize = 3 << 20;
    let Pair { left, right } = tcp().await?;
    let [mut left, mut right] = [left, right].map(|side| Duplex::from((side.reader, side.writer)));
    let echo = async {
        let copied = futures::io::copy_buf(&mut right.reader, &mut right.writer).await?;
        right.close().await.map(|()| copied)
    };
    let send = async {
        let copied = futures::io::copy(Cursor::new(pattern(0, TOTAL)), &mut left.writer).await?;
        writes(&left.writer).close().await.map(|()| copied)
    };
    let receive = async {
        let mut to = AllowStdIo::new(Vec::new());
        futures::io::copy(&mut left.reader, &mut to)
            .await
            .map(|_| to.into_inner())
    };
    let (echoed, sent, received) = join!(echo, send, receive);
    same!((echoed?, sent?), (TOTAL as u64, TOTAL as u64));
    same!(follow(0, &received?)?, TOTAL);
    Ok(())
}

/// `lines`, and a writer behind a buffer.
async fn lines() -> Result {
    let Pair { left, right } = tcp().await?;
    let send = async {
        let mut writer = BufWriter::with_capacity(1000, left.writer);
        for n in 0..10_000 {
            writer.write_all(format!("line {n}\r\n").as_bytes()).await?;
        }
        writer.close().await
    };
    let receive = async {
        let mut n = 0;
        let mut lines = right.reader.lines();
        while let Some(line) = lines.try_next().await? {
            same!(line, format!("line {n}"));
            n += 1;
        }
        same!(n, 10_000);
        Result::Ok(())
    };
    let (sent, received) = join!(send, receive);
    sent?;
    received
}

/// Frames both ways: lines there, lengths back.
async fn frames() -> Result {
    let Pair { left, right } = tcp().await?;
    let [left, right] = [left, right].map(|side| Duplex::from((side.reader, side.writer)));
    let ask = async {
        let mut left = Framed::new(left, LinesCodec);
        for n in 0..1000 {
            left.send(format!("{n}\n")).await?;
        }
        let Duplex { reader, writer } = left.into_inner();
        writes(&writer).close().await?;
        let mut answers = Framed::new(Duplex { reader, writer }, LengthCodec);
        let mut n = 0;
        while let Some(answer) = answers.try_next().await? {
            same!(answer, pattern(n, n));
            n += 1;
        }
        same!(n, 1000);
        Result::Ok(())
    };
    let answer = async {
        let (mut reader, writer) = right.split();
        let mut writer = FramedWrite::new(writer, LengthCodec);
        let mut line = String::new();
        let mut reader = futures::io::BufReader::new(&mut reader);
        while reader.read_line(&mut line).await? > 0 {
            let n = line.trim().parse().unwrap_or(usize::MAX);
            writer.send(Bytes::from(pattern(n, n))).await?;
            line.clear();
        }
        Ok(writer.close().await?)
    };
    let (asked, answered): (Result, Result) = join!(ask, answer);
    asked.and(answered)
}
