//! A reset during reads: buffered bytes can still be read, then every read reports the reset, every time, and never
//! an end. So do the calls of the writer.

use asyncio_streams::{Error, Wanted};
use asyncio_streams_test_programs::{Failure, Result, Side, check, is_reset, matching, peer, same};

asyncio_streams::run!(main);

/// The reads; the buffer satisfies none of them.
#[derive(Clone, Copy, Debug)]
enum Read {
    Line,
    Exactly,
    Until,
    Lines,
    ToEnd,
    WaitAndTry,
}

const READS: [Read; 6] = [
    Read::Line,
    Read::Exactly,
    Read::Until,
    Read::Lines,
    Read::ToEnd,
    Read::WaitAndTry,
];

async fn main() -> Result {
    for read in READS {
        reset_during(read)
            .await
            .map_err(|failure| Failure::new(format_args!("{read:?}: {failure}")))?;
    }
    Ok(())
}

async fn reset_during(read: Read) -> Result {
    let side = with_kept_bytes().await?;
    let reader = &side.reader;
    let error = matching!(perform(&side, read).await, Err(error) if is_reset(&error) => error);

    // The error is permanent, and the buffered bytes stay.
    for read in READS {
        same!(perform(&side, read).await, Err(error.clone()));
    }
    same!(reader.exception(), Some(error.clone()));
    check!(!reader.at_eof());
    same!((reader.buffered(), reader.peek(10)), (4, b"kept".to_vec()));
    reader.wait(Wanted::Line).await?;

    writer_says(&side, &error).await?;

    same!(reader.read(2).await?, b"ke");
    same!(reader.readexactly(2).await?, b"pt");
    for _ in 0..3 {
        same!(reader.read(1).await, Err(error.clone()));
        same!(reader.try_read(1), Err(error.clone()));
        same!(reader.read(0).await?, b"");
        check!(!reader.at_eof());
    }
    Ok(())
}

/// A connection with buffered bytes, whose peer was asked to reset it.
async fn with_kept_bytes() -> Result<Side> {
    let side = peer().await?;
    same!(side.reader.readexactly(6).await?, b"first\n");
    side.reader.wait(Wanted::Exactly(4)).await?;
    side.writer.write("reset\n")?;
    Ok(side)
}

async fn perform(side: &Side, read: Read) -> std::result::Result<(), Error> {
    let reader = &side.reader;
    match read {
        Read::Line => reader.readline().await.map(drop),
        Read::Exactly => reader.readexactly(5).await.map(drop),
        Read::Until => reader.readuntil("#").await.map(drop),
        Read::Lines => reader.readlines(100).await.map(drop),
        Read::ToEnd => reader.read_to_end().await.map(drop),
        Read::WaitAndTry => {
            reader.wait(Wanted::Line).await?;
            reader.try_readline().map(drop)
        }
    }
}

async fn writer_says(side: &Side, error: &Error) -> Result {
    let writer = &side.writer;
    for _ in 0..2 {
        same!(writer.write("x"), Err(error.clone()));
        same!(writer.drain().await, Err(error.clone()));
        same!(writer.flush().await, Err(error.clone()));
        same!(writer.wait_closed().await, Err(error.clone()));
        same!(writer.write_eof(), Err(error.clone()));
        check!(writer.is_closing());
    }
    Ok(())
}
