//! A client of a Redis server: a reply for each command, many commands in flight, values of ten megabytes.

use std::time::Duration;

use asyncio_streams::{Reader, timeout};
use asyncio_streams_test_programs::{
    Failure, Result, Side, check, follow, matching, pattern, peer, same,
};

asyncio_streams::run!(main);

/// Commands that are in flight together.
const PIPELINED: usize = 5000;
const LARGE: usize = 10 << 20;
const DEADLINE: Duration = Duration::from_secs(50);

async fn main() -> Result {
    timeout(DEADLINE, all()).await?
}

async fn all() -> Result {
    let side = peer().await?;
    one_after_the_other(&side).await?;
    pipelined(&side).await?;
    large_value(&side).await?;
    wake_up(&side).await?;

    same!(call(&side, &[b"QUIT"]).await?, Reply::Text("OK".into()));
    same!(side.reader.read(1).await?, b"");
    check!(side.reader.at_eof());
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}

async fn one_after_the_other(side: &Side) -> Result {
    same!(call(side, &[b"PING"]).await?, Reply::Text("PONG".into()));
    same!(
        call(side, &[b"SET", b"key", b"a\r\nb"]).await?,
        Reply::Text("OK".into())
    );
    same!(
        call(side, &[b"GET", b"key"]).await?,
        Reply::Bytes(b"a\r\nb".to_vec())
    );
    same!(call(side, &[b"GET", b"no such key"]).await?, Reply::Nothing);
    same!(
        call(side, &[b"APPEND", b"key", b"c"]).await?,
        Reply::Number(5)
    );
    matching!(call(side, &[b"NO-SUCH-COMMAND"]).await?, Reply::Error(_));
    // The inline form, for people at a terminal.
    side.writer.send("EXISTS key\r\n").await?;
    same!(reply(&side.reader).await?, Reply::Number(1));
    Ok(())
}

/// Commands are sent while replies to earlier ones arrive.
async fn pipelined(side: &Side) -> Result {
    let value = |number: usize| pattern(number, number % 200);
    let key = |number: usize| format!("number {number}").into_bytes();
    let commands = async || -> Result {
        for number in 0..PIPELINED {
            side.writer
                .write(encode(&[b"SET", &key(number), &value(number)]))?;
            side.writer.send(encode(&[b"GET", &key(number)])).await?;
        }
        Ok(())
    };
    let replies = async || -> Result {
        for number in 0..PIPELINED {
            same!(reply(&side.reader).await?, Reply::Text("OK".into()));
            same!(reply(&side.reader).await?, Reply::Bytes(value(number)));
        }
        Ok(())
    };
    futures::try_join!(commands(), replies())?;
    // All at once: the replies wait at the server, or in the systems' buffers, until all commands are sent.
    for number in 0..PIPELINED {
        side.writer.write(encode(&[b"STRLEN", &key(number)]))?;
    }
    for number in 0..PIPELINED {
        same!(
            reply(&side.reader).await?,
            Reply::Number((number % 200) as i64)
        );
    }
    Ok(())
}

async fn large_value(side: &Side) -> Result {
    same!(
        call(side, &[b"SET", b"large", &pattern(7, LARGE)]).await?,
        Reply::Text("OK".into())
    );
    same!(
        call(side, &[b"STRLEN", b"large"]).await?,
        Reply::Number(LARGE as i64)
    );
    let whole = matching!(call(side, &[b"GET", b"large"]).await?, Reply::Bytes(bytes) => bytes);
    same!(follow(7, &whole)?, 7 + LARGE);
    // A part of the value: its content does not depend on how the transfer was split.
    let part = call(side, &[b"GETRANGE", b"large", b"5000000", b"5000999"]).await?;
    let part = matching!(part, Reply::Bytes(bytes) => bytes);
    same!(follow(5_000_007, &part)?, 5_001_007);
    same!(call(side, &[b"DEL", b"large"]).await?, Reply::Number(1));
    Ok(())
}

/// A reply that waits for another client's command.
async fn wake_up(side: &Side) -> Result {
    let other: Side = peer().await?;
    side.writer.send(encode(&[b"BLPOP", b"list", b"0"])).await?;
    let early = timeout(Duration::from_millis(50), reply(&side.reader)).await;
    check!(
        early.is_err(),
        "a reply before there was anything: {early:?}"
    );
    let (pushed, popped) = futures::join!(
        call(&other, &[b"RPUSH", b"list", b"one"]),
        reply(&side.reader)
    );
    same!(pushed?, Reply::Number(1));
    same!(
        popped?,
        Reply::List(vec![
            Reply::Bytes(b"list".into()),
            Reply::Bytes(b"one".into())
        ])
    );
    other.writer.close();
    other.writer.wait_closed().await?;
    Ok(())
}

/// A reply of the server (RESP 2).
#[derive(Debug, PartialEq)]
enum Reply {
    Text(String),
    Error(String),
    Number(i64),
    Bytes(Vec<u8>),
    Nothing,
    List(Vec<Reply>),
}

async fn call(side: &Side, words: &[&[u8]]) -> Result<Reply> {
    side.writer.send(encode(words)).await?;
    reply(&side.reader).await
}

fn encode(words: &[&[u8]]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend(format!("${}\r\n", word.len()).into_bytes());
        command.extend_from_slice(word);
        command.extend(b"\r\n");
    }
    command
}

async fn reply(reader: &Reader) -> Result<Reply> {
    let (kind, text) = header(reader).await?;
    if kind != b'*' {
        return single(reader, kind, text).await;
    }
    // No reply here is a list of lists.
    let mut list = Vec::new();
    for _ in 0..number(&text)? {
        let (kind, text) = header(reader).await?;
        list.push(single(reader, kind, text).await?);
    }
    Ok(Reply::List(list))
}

async fn header(reader: &Reader) -> Result<(u8, String)> {
    let line = reader.readuntil("\r\n").await?;
    match line.split_first() {
        Some((kind, text)) => Ok((
            *kind,
            String::from_utf8_lossy(text.trim_ascii_end()).into_owned(),
        )),
        None => Err(Failure::new("an empty line")),
    }
}

async fn single(reader: &Reader, kind: u8, text: String) -> Result<Reply> {
    match kind {
        b'+' => Ok(Reply::Text(text)),
        b'-' => Ok(Reply::Error(text)),
        b':' => Ok(Reply::Number(number(&text)?)),
        b'$' => match usize::try_from(number(&text)?) {
            Ok(length) => Ok(Reply::Bytes(bytes(reader, length).await?)),
            Err(_) => Ok(Reply::Nothing),
        },
        _ => Err(Failure::new(format_args!(
            "a reply of an unknown kind, {:?}",
            char::from(kind)
        ))),
    }
}

async fn bytes(reader: &Reader, length: usize) -> Result<Vec<u8>> {
    let bytes = reader.readexactly(length).await?;
    reader.readexactly(2).await?;
    Ok(bytes)
}

fn number(text: &str) -> Result<i64> {
    Ok(text.parse()?)
}
