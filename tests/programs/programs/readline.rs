//! `readline` returns lines with their ends, then an unterminated rest, then empty lists.

use std::pin::pin;

use asyncio_streams_test_programs::{Result, pending, same, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    writer.write("one\n\ntwo\r\nthr")?;
    same!(reader.readline().await?, b"one\n");
    same!(reader.readline().await?, b"\n");
    same!(reader.readline().await?, b"two\r\n");

    // A line may come in any number of pieces.
    {
        let mut line = pin!(reader.readline());
        for piece in ["e", "e", " and more"] {
            pending(line.as_mut())?;
            writer.write(piece)?;
            writer.flush().await?;
        }
        pending(line.as_mut())?;
        writer.write("\nfour\nfi")?;
        same!(line.await?, b"three and more\n");
    }
    same!(reader.readline().await?, b"four\n");

    writer.write("ve")?;
    writer.write_eof()?;
    same!(reader.readline().await?, b"five");
    for _ in 0..3 {
        same!(reader.readline().await?, b"");
    }
    same!(reader.try_readline()?, Some(Vec::new()));

    // The other direction of the connection continues.
    pair.right.writer.write("answer\n")?;
    pair.right.writer.close();
    same!(pair.left.reader.readline().await?, b"answer\n");
    same!(pair.left.reader.readline().await?, b"");
    Ok(())
}
