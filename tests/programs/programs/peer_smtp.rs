//! A client of a mail server: sends the message from standard input.

use std::time::Duration;

use asyncio_streams::{Error, Reader, cli, timeout};
use asyncio_streams_test_programs::{Result, Side, check, peer, same};

asyncio_streams::run!(main);

const DEADLINE: Duration = Duration::from_secs(50);

async fn main() -> Result {
    timeout(DEADLINE, all()).await?
}

async fn all() -> Result {
    let side = peer().await?;
    same!(answer(&side.reader).await?.0, 220);
    let (code, offers) = command(&side, "EHLO localhost").await?;
    same!(code, 250);
    check!(offers.len() > 1, "an answer of several lines: {offers:?}");

    // A line that is too long for mail is refused, and the connection continues (RFC 5321, 4.5.3.1.6).
    envelope(&side).await?;
    side.writer.write("Subject: too long\r\n\r\n")?;
    side.writer.write([b'x'; 100_000])?;
    let (code, _) = command(&side, "\r\n.").await?;
    same!(code, 500);

    envelope(&side).await?;
    message(&side).await?;
    same!(command(&side, ".").await?.0, 250);

    same!(command(&side, "NO-SUCH-COMMAND").await?.0, 500);
    same!(command(&side, "QUIT").await?.0, 221);
    same!(side.reader.read(1).await?, b"");
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}

async fn envelope(side: &Side) -> Result {
    same!(
        command(side, "MAIL FROM:<sender@example.org>").await?.0,
        250
    );
    same!(command(side, "RCPT TO:<reader@example.org>").await?.0, 250);
    same!(command(side, "DATA").await?.0, 354);
    Ok(())
}

/// Sends the lines of standard input; a line that begins with a dot gets another dot (RFC 5321, 4.5.2).
async fn message(side: &Side) -> Result {
    let (input, end) = cli::stdin().await?;
    let mut lines = input.lines();
    while let Some(line) = lines.next().await? {
        if line.starts_with(b".") {
            side.writer.write(".")?;
        }
        side.writer
            .write(line.strip_suffix(b"\n").unwrap_or(line))?;
        side.writer.send("\r\n").await?;
    }
    end.await?;
    Ok(())
}

async fn command(side: &Side, command: &str) -> Result<(u16, Vec<String>)> {
    side.writer.send(format!("{command}\r\n")).await?;
    Ok(answer(&side.reader).await?)
}

/// The code of an answer and its lines: all but the last have a hyphen after the code (RFC 5321, 4.2.1).
async fn answer(reader: &Reader) -> std::result::Result<(u16, Vec<String>), Error> {
    let mut texts = Vec::new();
    loop {
        let line = reader.readuntil("\r\n").await?;
        let line = String::from_utf8_lossy(&line);
        let (code, text) = line.split_at_checked(3).unwrap_or_default();
        texts.push(text.trim().to_owned());
        if !text.starts_with('-') {
            return Ok((code.parse().unwrap_or_default(), texts));
        }
    }
}
