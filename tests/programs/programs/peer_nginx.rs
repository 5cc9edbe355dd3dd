//! A client of an HTTP server: many requests on one connection, a large file read in three ways, and uploads in
//! chunks.

use std::time::Duration;

use asyncio_streams::{Reader, timeout};
use asyncio_streams_test_programs::{Failure, Result, Side, check, follow, pattern, peer, same};

asyncio_streams::run!(main);

/// The sizes of the test's files; both hold the pattern.
const SMALL: usize = 1000;
const LARGE: usize = 20 << 20;
const UPLOAD: usize = 5_000_000;
const DEADLINE: Duration = Duration::from_secs(50);

async fn main() -> Result {
    timeout(DEADLINE, all()).await?
}

async fn all() -> Result {
    keep_alive().await?;
    large_file().await?;
    upload().await
}

/// The head of an answer.
#[derive(Debug)]
struct Head {
    status: String,
    lines: Vec<String>,
}

impl Head {
    /// Returns the value of a header.
    fn get(&self, name: &str) -> Option<&str> {
        let named = |line: &&String| {
            line.split(':')
                .next()
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        let line = self.lines.iter().find(named)?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    fn length(&self) -> Result<usize> {
        match self
            .get("Content-Length")
            .and_then(|length| length.parse().ok())
        {
            Some(length) => Ok(length),
            None => Err(Failure::new(format_args!("no length: {self:?}"))),
        }
    }
}

async fn head(reader: &Reader) -> Result<Head> {
    let block = reader.readuntil("\r\n\r\n").await?;
    let block = String::from_utf8_lossy(&block);
    let mut lines = block.lines().map(str::to_owned);
    let status = lines.next().unwrap_or_default();
    Ok(Head {
        status,
        lines: lines.collect(),
    })
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// A file of the pattern, with a `Content-Length`.
async fn file(side: &Side, size: usize) -> Result {
    let head = head(&side.reader).await?;
    same!(head.status, "HTTP/1.1 200 OK");
    same!(head.length()?, size);
    same!(follow(0, &side.reader.readexactly(size).await?)?, size);
    Ok(())
}

async fn keep_alive() -> Result {
    let side = peer().await?;
    for _ in 0..50 {
        side.writer.send(request("GET", "/small", "")).await?;
        file(&side, SMALL).await?;
        // A head without a body, and a body that is not the file.
        side.writer.send(request("HEAD", "/large", "")).await?;
        same!(head(&side.reader).await?.length()?, LARGE);
        side.writer
            .send(request("GET", "/no-such-file", ""))
            .await?;
        let missing = head(&side.reader).await?;
        same!(missing.status, "HTTP/1.1 404 Not Found");
        side.reader.readexactly(missing.length()?).await?;
    }
    // Several requests at once.
    for _ in 0..50 {
        side.writer.write(request("GET", "/small", ""))?;
    }
    for _ in 0..50 {
        file(&side, SMALL).await?;
    }
    side.writer
        .send(request("GET", "/small", "Connection: close\r\n"))
        .await?;
    file(&side, SMALL).await?;
    same!(side.reader.read(1).await?, b"");
    check!(side.reader.at_eof());
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}

async fn large_file() -> Result {
    let side = peer().await?;
    // Piece by piece.
    side.writer.send(request("GET", "/large", "")).await?;
    same!(head(&side.reader).await?.length()?, LARGE);
    let mut position = 0;
    while position < LARGE {
        let piece = side
            .reader
            .readexactly((LARGE - position).min(100_003))
            .await?;
        position = follow(position, &piece)?;
    }
    // In chunks: filtered content has no length in advance.
    side.writer
        .send(request("GET", "/filtered/large", ""))
        .await?;
    same!(
        head(&side.reader).await?.get("Transfer-Encoding"),
        Some("chunked")
    );
    same!(chunks(&side.reader).await?, LARGE);
    // To the end of the connection.
    side.writer
        .send(request("GET", "/large", "Connection: close\r\n"))
        .await?;
    same!(head(&side.reader).await?.length()?, LARGE);
    let mut position = 0;
    loop {
        let piece = side.reader.read(65_536).await?;
        if piece.is_empty() {
            break;
        }
        position = follow(position, &piece)?;
    }
    same!(position, LARGE);
    Ok(())
}

/// Reads a body in chunks, which must be the pattern; returns its length.
async fn chunks(reader: &Reader) -> Result<usize> {
    let mut position = 0;
    loop {
        let line = reader.readline().await?;
        let line = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
        if size == 0 {
            same!(reader.readline().await?, b"\r\n");
            return Ok(position);
        }
        position = follow(position, &reader.readexactly(size).await?)?;
        same!(reader.readexactly(2).await?, b"\r\n");
    }
}

async fn upload() -> Result {
    let side = peer().await?;
    // First asks whether the server accepts it (RFC 9110, 10.1.1).
    let headers = "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n";
    side.writer
        .send(request("PUT", "/upload/file", headers))
        .await?;
    same!(head(&side.reader).await?.status, "HTTP/1.1 100 Continue");
    let mut position = 0;
    let mut size = 1;
    while position < UPLOAD {
        size = (size * 3 % 70_001).min(UPLOAD - position);
        side.writer.write(format!("{size:x}\r\n"))?;
        side.writer.write(pattern(position, size))?;
        side.writer.send("\r\n").await?;
        position += size;
    }
    side.writer.send("0\r\n\r\n").await?;
    let created = head(&side.reader).await?;
    same!(created.status, "HTTP/1.1 201 Created");
    same!(created.length()?, 0);
    // On the same connection, downloads it again.
    side.writer.send(request("GET", "/upload/file", "")).await?;
    file(&side, UPLOAD).await?;
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}
