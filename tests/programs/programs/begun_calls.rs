//! A pending call has started: it excludes others, and `cancel` ends it, even while the component still handles calls
//! that were cancelled before.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use asyncio_streams::Wanted;
use asyncio_streams_test_programs::{
    Pair, RawError, RawReader, Result, check, matching, raw_reader, same, tcp,
};
use futures::future::try_join_all;

asyncio_streams::run!(main);

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 300;

async fn main() -> Result {
    let mut pairs = Vec::new();
    for _ in 0..CONNECTIONS {
        pairs.push(tcp().await?);
    }
    try_join_all(pairs.iter().map(cancelled_again_and_again)).await?;
    // The cancelled waits have consumed nothing.
    for Pair { left, right } in pairs {
        left.writer.write("after all that\n")?;
        same!(right.reader.readline().await?, b"after all that\n");
    }
    Ok(())
}

async fn cancelled_again_and_again(pair: &Pair) -> Result {
    let reader: RawReader<'_> = raw_reader(&pair.right.reader);
    for round in 0..ROUNDS {
        let mut waiting = pin!(reader.wait(Wanted::Any));
        let begun = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await;
        check!(begun, "round {round}: the wait was over at once");
        matching!(reader.try_read(1), Err(RawError::Busy));
        if round % 3 == 0 {
            // The other way to end it.
            continue;
        }
        reader.cancel();
        matching!(waiting.await, Err(RawError::Cancelled));
    }
    Ok(())
}
