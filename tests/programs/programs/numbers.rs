//! Calls by number do what those of the resource do, and a wrong number is an error that touches no connection.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::pin::pin;

use asyncio_streams::bindings::numbers::{self, Event, Watch};
use asyncio_streams::bindings::types::Error;
use asyncio_streams::{Address, ServerOptions, Wanted, open_connection};
use asyncio_streams_test_programs::{
    Failure, Result, check, matching, pending, port, same, tcp, turns,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    // First, while nothing else goes on in the component: a connection that ends sends everything too.
    sent_by_a_kick().await?;
    forged().await?;
    same_as_the_resource().await?;
    accepted(["127.0.0.1"]).await?;
    accepted(["::1"]).await?;
    after_the_end().await?;
    never_used_again().await
}

/// Waits for one event, by a watch of its own.
async fn wait_for(of: u64, event: Event) -> std::result::Result<(), Error> {
    let watch = Watch::new();
    numbers::add(watch.number(), of, &event, 1)?;
    watch.wait().await?;
    numbers::remove(watch.number(), 1).map(drop)
}

/// Fails unless every call with this number fails as one with a wrong number.
async fn refused(number: u64) -> Result {
    macro_rules! wrong {
        ($($call:expr),* $(,)?) => {
            $(matching!($call, Err(Error::InvalidArgument(_)));)*
        };
    }
    wrong!(
        numbers::try_read(number, 1),
        numbers::try_readline(number),
        numbers::try_readexactly(number, 1),
        numbers::try_readuntil(number, &["x".as_bytes()]),
        numbers::try_readlines(number, 1),
        numbers::peek(number, 0, 1),
        numbers::discard(number, 1),
        numbers::write(number, b"forged"),
        numbers::try_drain(number),
        numbers::try_accept(number),
        numbers::again(number, 1),
        numbers::ready(number),
        numbers::remove(number, 1),
        wait_for(number, Event::Readable(Wanted::Any)).await,
        wait_for(number, Event::Drained).await,
        wait_for(number, Event::Connection).await,
    );
    let waits = Watch::new();
    wrong!(
        numbers::add(waits.number(), number, &Event::Readable(Wanted::Any), 1),
        numbers::add(number, number, &Event::Closed, 1),
    );
    Ok(())
}

async fn forged() -> Result {
    let pair = tcp().await?;
    let (reader, writer) = (pair.right.reader.raw(), pair.left.writer.raw());
    let (input, output) = (
        numbers::reader_number(reader),
        numbers::writer_number(writer),
    );
    same!(numbers::reader_number(reader), input);
    same!(numbers::writer_number(writer), output);
    check!(
        input != output && input != 0 && output != 0,
        "the numbers are {input} and {output}"
    );
    for known in [input, output] {
        for bit in 0..64 {
            matching!(
                numbers::try_read(known ^ (1 << bit), 1),
                Err(Error::InvalidArgument(_))
            );
        }
        for forged in [
            0,
            1,
            u64::MAX,
            known.wrapping_add(1),
            known.wrapping_sub(1),
            !known,
        ] {
            refused(forged).await?;
        }
    }
    // A number is of one kind.
    matching!(numbers::try_read(output, 1), Err(Error::InvalidArgument(_)));
    matching!(numbers::write(input, b"no"), Err(Error::InvalidArgument(_)));
    matching!(
        wait_for(input, Event::Drained).await,
        Err(Error::InvalidArgument(_))
    );
    matching!(
        wait_for(output, Event::Readable(Wanted::Any)).await,
        Err(Error::InvalidArgument(_))
    );
    matching!(
        wait_for(input, Event::Readable(Wanted::Until(Vec::new()))).await,
        Err(Error::InvalidArgument(_))
    );
    // None of it has touched the connection.
    same!(numbers::write(output, b"whole\n")?, true);
    wait_for(input, Event::Readable(Wanted::Line)).await?;
    same!(numbers::try_readline(input)?, Some(b"whole\n".to_vec()));
    Ok(())
}

async fn same_as_the_resource() -> Result {
    let pair = tcp().await?;
    let (reader, writer) = (pair.right.reader.raw(), pair.left.writer.raw());
    let (input, output) = (
        numbers::reader_number(reader),
        numbers::writer_number(writer),
    );
    let data = b"first line\nsecond line\nthird::abcdef---------------------------\ntail";
    {
        let mut waiting = pin!(wait_for(input, Event::Readable(Wanted::Exactly(68))));
        pending(waiting.as_mut())?;
        // The rules of the resource hold.
        matching!(numbers::try_read(input, 1), Err(Error::Busy));
        matching!(numbers::discard(input, 1), Err(Error::Busy));
        matching!(reader.try_read(1), Err(Error::Busy));
        same!(numbers::peek(input, 0, 9)?.position, 0);
        same!(numbers::write(output, data)?, true);
        same!(numbers::try_drain(output)?, true);
        same!(writer.write_buffer_size(), 68);
        numbers::kick();
        waiting.await?;
    }
    let front = numbers::peek(input, 4, 64)?;
    same!((&*front.bytes, front.remaining), (&data[4..], 0));
    same!(numbers::peek(input, 60, 5)?.bytes, &data[60..65]);
    same!(numbers::peek(input, 69, 100)?.bytes, b"");
    same!(front.limit, reader.limit());
    same!(
        numbers::try_readline(input)?,
        Some(b"first line\n".to_vec())
    );
    same!(
        numbers::try_readlines(input, 1)?,
        Some(b"second line\n".to_vec())
    );
    same!(
        numbers::try_readuntil(input, &["::".as_bytes()])?,
        Some(b"third::".to_vec())
    );
    same!(
        numbers::try_readexactly(input, 6)?,
        Some(b"abcdef".to_vec())
    );
    same!(numbers::discard(input, 23)?, 23);
    same!(numbers::try_readexactly(input, 10)?, None);
    same!(numbers::try_read(input, 5)?, Some(b"----\n".to_vec()));
    same!(reader.try_read(5)?, Some(b"tail".to_vec()));
    same!(numbers::try_read(input, 5)?, None);
    same!(numbers::peek(input, 0, 1)?.position, 68);
    Ok(())
}

/// Bytes written by number stay queued until an async call of the component or a kick; other calls of the program do not count.
async fn sent_by_a_kick() -> Result {
    let pair = tcp().await?;
    let output = numbers::writer_number(pair.left.writer.raw());
    let reader = pair.right.reader.raw();
    let mut line = pin!(reader.readline());
    pending(line.as_mut())?;
    turns(8).await;
    same!(numbers::write(output, b"by ")?, true);
    turns(8).await;
    same!(pair.left.writer.write_buffer_size(), 3);
    numbers::kick();
    turns(8).await;
    same!(pair.left.writer.write_buffer_size(), 0);
    // A write of the resource takes along what was written by number.
    same!(numbers::write(output, b"num")?, true);
    pair.left.writer.raw().write(b"ber\n")?;
    same!(line.await?, b"by number\n".to_vec());
    Ok(())
}

async fn after_the_end() -> Result {
    let pair = tcp().await?;
    let input = numbers::reader_number(pair.right.reader.raw());
    let output = numbers::writer_number(pair.right.writer.raw());
    numbers::write(output, b"last")?;
    pair.right.writer.close();
    matching!(numbers::write(output, b"late"), Err(Error::Closed));
    matching!(numbers::try_read(input, 1), Err(Error::Closed));
    wait_for(output, Event::Closed).await?;
    same!(pair.left.reader.read_to_end().await?, b"last".to_vec());
    // The resource can be dropped during a wait by number, which the drop ends.
    {
        let other = tcp().await?;
        let input = numbers::reader_number(other.right.reader.raw());
        let mut waiting = pin!(wait_for(input, Event::Readable(Wanted::Line)));
        pending(waiting.as_mut())?;
        drop(other.right.reader);
        matching!(waiting.await, Err(Error::Cancelled));
        refused(input).await?;
    }
    drop(pair.right);
    refused(input).await?;
    refused(output).await
}

/// An accepted client comes with the numbers and the address that its resources have.
async fn accepted(host: [&str; 1]) -> Result {
    let server = ServerOptions::new().start_server(host, 0).await?;
    let number = numbers::server_number(server.raw());
    same!(numbers::try_accept(number)?.is_none(), true);
    let (_reader, near) = open_connection(host[0], port(&server)?).await?;
    wait_for(number, Event::Connection).await?;
    let Some((reader, writer, client)) = numbers::try_accept(number)? else {
        return Err(Failure::new("no client was there after the wait"));
    };
    same!(client.reader, numbers::reader_number(&reader));
    same!(client.writer, numbers::writer_number(&writer));
    let Some(Address::Inet(own)) = near.sockname() else {
        return Err(Failure::new("the client has no address of TCP"));
    };
    same!(writer.peername(), Some(Address::Inet(own.clone())));
    let no_peer = || Failure::new("the accepted client has no address");
    let peer = client.peer.ok_or_else(no_peer)?;
    let bits = u128::from(peer.high) << 64 | u128::from(peer.low);
    same!(
        Ipv6Addr::from_bits(bits).to_canonical().to_string(),
        own.host
    );
    same!(peer.port, own.port);
    same!((peer.scope_id, peer.flow_info), (0, 0));
    matching!(
        numbers::try_accept(client.reader),
        Err(Error::InvalidArgument(_))
    );

    server.close();
    matching!(numbers::try_accept(number), Err(Error::Closed));
    drop(server);
    matching!(numbers::try_accept(number), Err(Error::InvalidArgument(_)));
    Ok(())
}

async fn never_used_again() -> Result {
    let server = ServerOptions::new().start_server(["127.0.0.1"], 0).await?;
    let mut seen = BTreeSet::new();
    seen.insert(numbers::server_number(server.raw()));
    for _ in 0..40 {
        let pair = tcp().await?;
        for side in [&pair.left, &pair.right] {
            for number in [
                numbers::reader_number(side.reader.raw()),
                numbers::writer_number(side.writer.raw()),
            ] {
                check!(seen.insert(number), "a number was used again");
            }
        }
        drop(pair);
        let wait = Watch::new();
        check!(seen.insert(wait.number()), "a number was used again");
    }
    drop(server);
    for number in seen {
        matching!(numbers::try_drain(number), Err(Error::InvalidArgument(_)));
        matching!(numbers::try_read(number, 1), Err(Error::InvalidArgument(_)));
        matching!(numbers::remove(number, 0), Err(Error::InvalidArgument(_)));
    }
    Ok(())
}
