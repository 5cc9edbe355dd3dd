//! `readuntil` returns everything up to the separator that ends first, however the bytes arrive.

use std::pin::pin;

use asyncio_streams::Error;
use asyncio_streams_test_programs::{Result, matching, pending, same, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);

    writer.write("head\r\n\r\nbodyENDtail")?;
    same!(reader.readuntil("\r\n\r\n").await?, b"head\r\n\r\n");
    same!(reader.readuntil("END").await?, b"bodyEND");
    same!(reader.readexactly(4).await?, b"tail");

    // The separator that ends first counts; of two that end together, the shorter.
    writer.write("a\r\nb;c\nabcd")?;
    same!(reader.readuntil_any(&[b"\r\n", b"\r"]).await?, b"a\r");
    same!(reader.readuntil_any(&[b"\n", b";"]).await?, b"\n");
    same!(reader.readuntil_any(&[b"\n", b";"]).await?, b"b;");
    same!(reader.readuntil_any(&[b"\n", b";"]).await?, b"c\n");
    same!(
        reader.readuntil_any(&[b"bcd", b"cd", b"abcde"]).await?,
        b"abcd"
    );

    // A separator that arrives byte by byte, after a false start.
    {
        let mut piece = pin!(reader.readuntil("aab"));
        for byte in ["x", "a", "a", "a"] {
            pending(piece.as_mut())?;
            writer.write(byte)?;
            writer.flush().await?;
        }
        pending(piece.as_mut())?;
        writer.write("by")?;
        same!(piece.await?, b"xaaab");
    }
    same!(reader.read(1).await?, b"y");

    // The connection continues after an invalid argument.
    for separators in [&[][..], &[&b""[..]], &[&b"\n"[..], b""]] {
        matching!(
            reader.readuntil_any(separators).await,
            Err(Error::InvalidArgument(_))
        );
        matching!(
            reader.try_readuntil(separators),
            Err(Error::InvalidArgument(_))
        );
    }
    let most = vec![b'x'; 1 << 20];
    matching!(
        reader.readuntil_any(&[&most, b"y"]).await,
        Err(Error::InvalidArgument(_))
    );
    matching!(
        reader.try_readuntil(&[&most, b"y"]),
        Err(Error::InvalidArgument(_))
    );
    same!(reader.try_readuntil(&[&most])?, None);

    writer.write("rest")?;
    writer.write_eof()?;
    let incomplete = matching!(reader.readuntil("\n").await, Err(Error::IncompleteRead(it)) => it);
    same!(
        (incomplete.partial.as_slice(), incomplete.expected),
        (&b"rest"[..], None)
    );
    let incomplete = matching!(reader.readuntil("\n").await, Err(Error::IncompleteRead(it)) => it);
    same!(
        (incomplete.partial.as_slice(), incomplete.expected),
        (&b""[..], None)
    );
    Ok(())
}
