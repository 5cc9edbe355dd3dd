//! Written bytes are sent while the program waits for something else, without a further call on that writer.

use std::time::Duration;

use asyncio_streams::{open_connection, sleep, spawn, start_server};
use asyncio_streams_test_programs::{Failure, Result, follow, pattern, port, same, tcp};

asyncio_streams::run!(main);

const MUCH: usize = 6 << 20;

async fn main() -> Result {
    reading_elsewhere().await?;
    sleeping().await?;
    accepting().await
}

/// The answer on one connection depends on what arrives on another.
async fn reading_elsewhere() -> Result {
    let (question, answer) = (tcp().await?, tcp().await?);
    let (ask, asked) = (question.left, question.right);
    let (reply, replied) = (answer.left, answer.right);
    let other = spawn(async move {
        let bytes = asked.reader.readexactly(MUCH).await?;
        follow(0, &bytes)?;
        reply.writer.write("got it\n")?;
        // Keeps its side open until the other side is gone.
        asked.reader.read(1).await?;
        Result::Ok(())
    });
    ask.writer.write(pattern(0, MUCH))?;
    same!(replied.reader.readline().await?, b"got it\n");
    same!(ask.writer.write_buffer_size(), 0);
    ask.writer.close();
    other
        .await
        .ok_or_else(|| Failure::new("the other task has gone"))?
}

/// The program waits for a timer only.
async fn sleeping() -> Result {
    let pair = tcp().await?;
    pair.left.writer.write("hello")?;
    while pair.left.writer.write_buffer_size() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    same!(pair.right.reader.readexactly(5).await?, b"hello");
    Ok(())
}

/// The program waits for a client only, which connects after it has received the bytes.
async fn accepting() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let pair = tcp().await?;
    let right = pair.right;
    let other = spawn(async move {
        right.reader.readline().await?;
        open_connection("127.0.0.1", port).await
    });
    pair.left.writer.write("now\n")?;
    server.accept().await?;
    other
        .await
        .ok_or_else(|| Failure::new("the other task has gone"))??;
    Ok(())
}
