//! `wait` returns ok as soon as the matching `try-` call has an answer, consumes nothing, and leaves errors to the
//! read.

use std::pin::pin;

use asyncio_streams::{Error, Wanted};
use asyncio_streams_test_programs::{Result, matching, pending, same, tcp};

asyncio_streams::run!(main);

fn until(separator: &str) -> Wanted {
    Wanted::Until(vec![separator.into()])
}

async fn main() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);

    // Without a pending call no input is read.
    writer.write("abc")?;
    writer.flush().await?;
    same!(reader.try_read(10)?, None);
    same!(reader.try_readline()?, None);
    same!(reader.try_readexactly(1)?, None);
    same!(reader.try_readuntil(&[b"c"])?, None);
    same!(reader.try_readlines(10)?, None);
    same!(reader.try_read(0)?, Some(Vec::new()));
    same!(reader.try_readexactly(0)?, Some(Vec::new()));

    reader.wait(Wanted::Any).await?;
    same!(reader.buffered(), 3);
    reader.wait(Wanted::Exactly(3)).await?;
    reader.wait(Wanted::Exactly(0)).await?;
    reader.wait(until("b")).await?;
    same!(reader.buffered(), 3);
    same!(reader.try_readuntil(&[b"b"])?, Some(b"ab".to_vec()));
    same!(reader.try_readline()?, None);

    for (wanted, rest) in [
        (Wanted::Line, "d\n"),
        (Wanted::Exactly(7), "efgh"),
        (until("::"), ":x::"),
    ] {
        let mut waiting = pin!(reader.wait(wanted));
        pending(waiting.as_mut())?;
        writer.write(rest)?;
        waiting.await?;
    }
    same!(reader.try_readline()?, Some(b"cd\n".to_vec()));
    same!(reader.try_readexactly(4)?, Some(b"efgh".to_vec()));
    same!(reader.try_readuntil(&[b"::"])?, Some(b":x::".to_vec()));

    // Invalid arguments are the wait's own error.
    matching!(reader.wait(until("")).await, Err(Error::InvalidArgument(_)));
    matching!(
        reader.wait(Wanted::Until(Vec::new())).await,
        Err(Error::InvalidArgument(_))
    );
    // A read that would fail is ready at once.
    reader.wait(Wanted::Exactly(u32::MAX)).await?;
    matching!(reader.try_readexactly(usize::MAX), Err(Error::TooLarge(_)));

    let mut end = pin!(reader.wait(Wanted::End));
    pending(end.as_mut())?;
    writer.write("rest")?;
    writer.write_eof()?;
    end.await?;
    same!(reader.buffered(), 4);
    for wanted in [
        Wanted::Any,
        Wanted::Line,
        Wanted::Exactly(5),
        until("!"),
        Wanted::End,
    ] {
        reader.wait(wanted).await?;
    }
    same!(reader.try_read(3)?, Some(b"res".to_vec()));
    matching!(reader.try_readexactly(2), Err(Error::IncompleteRead(it)) if it.partial == b"t");
    matching!(reader.try_readuntil(&[b"!"]), Err(Error::IncompleteRead(it)) if it.partial.is_empty());
    for wanted in [
        Wanted::Any,
        Wanted::Line,
        Wanted::Exactly(5),
        until("!"),
        Wanted::End,
    ] {
        reader.wait(wanted).await?;
    }
    same!(reader.try_read(1)?, Some(Vec::new()));
    Ok(())
}
