//! The end arrives while the wait for it is cancelled: later calls still return it, any number of times.

use std::pin::pin;

use asyncio_streams::{ByteReader, ByteWriter, Error, Reader, Wanted, Writer, byte_stream, wrap};
use asyncio_streams_test_programs::{Result, check, matching, pending, same, tcp};
use futures::future::select;
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

async fn main() -> Result {
    let (reader, _writer, _out) = given_up(How::Drop).await?;
    for _ in 0..3 {
        same!(reader.read(10).await?, b"");
        check!(reader.at_eof());
    }
    let (reader, _writer, _out) = given_up(How::Cancel).await?;
    same!(reader.read_to_end().await?, b"");
    check!(reader.at_eof());

    // The rest as a stream, which is empty.
    for how in [How::Drop, How::Cancel] {
        let (reader, _writer, _out) = given_up(how).await?;
        let (mut rest, end) = reader.into_stream().await?;
        let (result, bytes) = rest.read(Vec::with_capacity(10)).await;
        same!((result, bytes), (StreamResult::Dropped, vec![]));
        end.await?;
    }
    last_bytes().await?;
    over_tcp().await
}

enum How {
    Drop,
    Cancel,
}

/// A connection whose reader's wait was cancelled in the same turn in which the end arrived.
async fn given_up(how: How) -> Result<(Reader, Writer, ByteReader)> {
    let (peer, incoming): (ByteWriter, ByteReader) = byte_stream();
    let (reader, writer, outgoing) = wrap(incoming).await?;
    {
        let mut wait = pin!(reader.wait(Wanted::Any));
        pending(wait.as_mut())?;
        drop(peer);
        if let How::Cancel = how {
            reader.cancel();
            matching!(wait.await, Ok(()) | Err(Error::Cancelled));
        }
    }
    Ok((reader, writer, outgoing))
}

/// The end arrives together with the last bytes, which are still to be read.
async fn last_bytes() -> Result {
    let (mut peer, incoming) = byte_stream();
    let (reader, _writer, _outgoing) = wrap(incoming).await?;
    let (line, rest) = futures::join!(reader.readexactly(3), async {
        let rest = peer.write_all(b"abc".to_vec()).await;
        drop(peer);
        rest
    });
    same!((line?, rest), (b"abc".to_vec(), vec![]));
    let (mut rest, end) = reader.into_stream().await?;
    let (result, bytes) = rest.read(Vec::with_capacity(10)).await;
    same!((result, bytes), (StreamResult::Dropped, vec![]));
    end.await?;
    Ok(())
}

/// Many times over a socket, where the turn of the end is not known.
async fn over_tcp() -> Result {
    for round in 0..200 {
        let pair = tcp().await?;
        let reader = &pair.left.reader;
        pair.right.writer.close();
        let closed = pair.right.writer.wait_closed();
        let cancelling = async {
            for _ in 0..round % 20 {
                let wait = pin!(reader.wait(Wanted::Any));
                let turn = pin!(pair.left.writer.flush());
                // Dropping the other one.
                drop(select(wait, turn).await);
            }
            reader.read(1).await
        };
        let (closed, last) = futures::join!(closed, cancelling);
        closed?;
        same!(last?, b"");
        check!(reader.at_eof());
    }
    Ok(())
}
