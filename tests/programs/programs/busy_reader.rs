//! While a read or a wait is pending, every other one fails with `busy` and changes nothing; calls that never wait
//! still work.

use asyncio_streams::bindings::streams::Reader;
use asyncio_streams::bindings::types::Error;
use asyncio_streams::{Wanted, Writer};
use asyncio_streams_test_programs::{
    Failure, Pair, Result, check, matching, memory, pending, same, tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        let Pair { left, right } = pair;
        let reader = right.reader.raw();
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
    reader: &Reader,
    writer: &Writer,
    call: impl Future<Output = std::result::Result<Vec<u8>, Error>>,
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

async fn all_busy(reader: &Reader) -> Result {
    matching!(reader.read(Some(1)).await, Err(Error::Busy));
    matching!(reader.read(Some(0)).await, Err(Error::Busy));
    matching!(reader.read(None).await, Err(Error::Busy));
    matching!(reader.readline().await, Err(Error::Busy));
    matching!(reader.readexactly(1).await, Err(Error::Busy));
    matching!(reader.readexactly(0).await, Err(Error::Busy));
    matching!(
        reader.readuntil(vec![b"a".to_vec()]).await,
        Err(Error::Busy)
    );
    matching!(reader.readlines(1).await, Err(Error::Busy));
    let until = Wanted::Until(vec![b"a".to_vec()]);
    for wanted in [
        Wanted::Any,
        Wanted::Line,
        Wanted::Exactly(1),
        until,
        Wanted::End,
    ] {
        matching!(reader.wait(wanted).await, Err(Error::Busy));
    }
    matching!(reader.try_read(1), Err(Error::Busy));
    matching!(reader.try_readline(), Err(Error::Busy));
    matching!(reader.try_readexactly(1), Err(Error::Busy));
    matching!(reader.try_readuntil(&[b"a"]), Err(Error::Busy));
    matching!(reader.try_readlines(1), Err(Error::Busy));
    matching!(reader.discard(1), Err(Error::Busy));
    match reader.into_stream().await {
        Err(Error::Busy) => Ok(()),
        Err(error) => Err(Failure::new(format_args!("into-stream: {error:?}"))),
        Ok(_) => Err(Failure::new("into-stream gave the input away")),
    }
}
