//! While a read or a wait is pending, every other one fails with `busy` and changes nothing; calls that never wait
//! still work.

use asyncio_streams::{Wanted, Writer};
use asyncio_streams_test_programs::{
    Failure, Pair, RawError, RawReader, Result, check, matching, memory, pending, raw_reader, same,
    tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        let Pair { left, right } = pair;
        let reader = raw_reader(&right.reader);
        left.writer.write("par")?;
        reader.wait(Wanted::Exactly(3)).await?;

        let line = reader.readline();
        during(reader, &left.writer, line, "t\n", b"part\n").await?;
        let exactly = reader.readexactly(7);
        during(reader, &left.writer, exactly, "tial", b"partial").await?;
        let until = reader.readuntil(vec![b";".to_vec()]);
        during(reader, &left.writer, until, "t;", b"part;").await?;
        let lines = reader.readlines(10);
        during(reader, &left.writer, lines, "t\n", b"part\n").await?;
        let waiting = async {
            reader.wait(Wanted::Exactly(5)).await?;
            reader.readexactly(5).await
        };
        during(reader, &left.writer, waiting, "ts", b"parts").await?;
    }
    Ok(())
}

/// Checks that `call` waits for `rest`, and then returns `expected`. "par" is buffered before and after.
async fn during(
    reader: RawReader<'_>,
    writer: &Writer,
    call: impl Future<Output = std::result::Result<Vec<u8>, RawError>>,
    rest: &str,
    expected: &[u8],
) -> Result {
    let mut call = std::pin::pin!(call);
    pending(call.as_mut())?;
    for _ in 0..2 {
        all_busy(reader).await?;
        // A read is busy even if the buffered bytes would satisfy it: three bytes would satisfy some.
        same!(reader.peek(2), b"pa");
        same!(reader.peek(10), b"par");
        same!(reader.buffered(), 3);
        check!(!reader.at_eof());
        check!(reader.exception().is_none());
        same!(reader.limit(), 65_536);
    }
    pending(call.as_mut())?;
    writer.write(rest)?;
    same!(call.await?, expected);
    writer.write("par")?;
    reader.wait(Wanted::Exactly(3)).await?;
    Ok(())
}

async fn all_busy(reader: RawReader<'_>) -> Result {
    matching!(reader.read(Some(1)).await, Err(RawError::Busy));
    matching!(reader.read(Some(0)).await, Err(RawError::Busy));
    matching!(reader.read(None).await, Err(RawError::Busy));
    matching!(reader.readline().await, Err(RawError::Busy));
    matching!(reader.readexactly(1).await, Err(RawError::Busy));
    matching!(reader.readexactly(0).await, Err(RawError::Busy));
    matching!(
        reader.readuntil(vec![b"a".to_vec()]).await,
        Err(RawError::Busy)
    );
    matching!(reader.readlines(1).await, Err(RawError::Busy));
    let until = Wanted::Until(vec![b"a".to_vec()]);
    for wanted in [
        Wanted::Any,
        Wanted::Line,
        Wanted::Exactly(1),
        until,
        Wanted::End,
    ] {
        matching!(reader.wait(wanted).await, Err(RawError::Busy));
    }
    matching!(reader.try_read(1), Err(RawError::Busy));
    matching!(reader.try_readline(), Err(RawError::Busy));
    matching!(reader.try_readexactly(1), Err(RawError::Busy));
    matching!(reader.try_readuntil(&[b"a"]), Err(RawError::Busy));
    matching!(reader.try_readlines(1), Err(RawError::Busy));
    matching!(reader.discard(1), Err(RawError::Busy));
    match reader.into_stream().await {
        Err(RawError::Busy) => Ok(()),
        Err(error) => Err(Failure::new(format_args!("into-stream: {error:?}"))),
        Ok(_) => Err(Failure::new("into-stream gave the input away")),
    }
}
