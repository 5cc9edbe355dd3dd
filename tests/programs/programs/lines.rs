//! Many short lines, read one by one and through `lines`: all of them, in order.

use asyncio_streams::spawn;
use asyncio_streams_test_programs::{Failure, Result, check, same, tcp};

asyncio_streams::run!(main);

const LINES: usize = 20_000;

async fn main() -> Result {
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
