//! `cancel`, or dropping, ends every pending read; it has consumed nothing, and the next read continues.

use std::pin::Pin;
use std::pin::pin;

use asyncio_streams::{Wanted, Writer};
use asyncio_streams_test_programs::{
    Pair, RawError, RawReader, Result, check, matching, memory, pending, raw_reader, same, tcp,
};

asyncio_streams::run!(main);

type Call<'a> = Pin<Box<dyn Future<Output = std::result::Result<Vec<u8>, RawError>> + 'a>>;

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        let Pair { left, right } = pair;
        let reader = raw_reader(&right.reader);
        // With an empty buffer, and with bytes that satisfy none of them.
        each_is_ended(reader).await?;
        left.writer.write("part")?;
        reader.wait(Wanted::Exactly(4)).await?;
        each_is_ended(reader).await?;
        same!(reader.buffered(), 4);
        goes_on(reader, &left.writer).await?;
    }
    Ok(())
}

/// Calls that four bytes without a separator do not satisfy.
fn calls(reader: RawReader<'_>) -> Vec<Call<'_>> {
    let wait = |wanted| -> Call<'_> {
        Box::pin(async move { reader.wait(wanted).await.map(|()| Vec::new()) })
    };
    let separators = || vec![b"\r\n".to_vec(), b";".to_vec()];
    vec![
        Box::pin(reader.read(None)),
        Box::pin(reader.readline()),
        Box::pin(reader.readexactly(5)),
        Box::pin(reader.readuntil(separators())),
        Box::pin(reader.readlines(1)),
        wait(Wanted::Line),
        wait(Wanted::Exactly(5)),
        wait(Wanted::Until(separators())),
        wait(Wanted::End),
    ]
}

async fn each_is_ended(reader: RawReader<'_>) -> Result {
    // Without a pending call it does nothing, and is not remembered.
    reader.cancel();
    let mut all = calls(reader);
    if reader.buffered() == 0 {
        all.push(Box::pin(reader.read(Some(10))));
        all.push(Box::pin(async {
            reader.wait(Wanted::Any).await.map(|()| Vec::new())
        }));
    }
    for mut call in all {
        pending(call.as_mut())?;
        matching!(reader.try_read(1), Err(RawError::Busy));
        reader.cancel();
        reader.cancel();
        matching!(call.await, Err(RawError::Cancelled));
        // The reader is free once the call has returned.
        check!(reader.try_read(0).is_ok());
    }
    for mut call in calls(reader) {
        pending(call.as_mut())?;
        drop(call);
        check!(reader.try_read(0).is_ok());
    }
    Ok(())
}

/// The next call waits as usual, and returns all bytes.
async fn goes_on(reader: RawReader<'_>, writer: &Writer) -> Result {
    let mut line = pin!(reader.readline());
    pending(line.as_mut())?;
    writer.write("ial\nnext")?;
    same!(line.await?, b"partial\n");
    let mut exactly = pin!(reader.readexactly(5));
    pending(exactly.as_mut())?;
    writer.write("!")?;
    same!(exactly.await?, b"next!");
    Ok(())
}
