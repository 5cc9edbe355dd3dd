//! One operation, repeated, for a test that measures the memory of the process.
//!
//! Each line of standard input is a loop's name, a number of iterations and the port of a peer. The program runs the
//! loop and prints `done`. It ends with its standard input. Loops that use TLS read certificates from the arguments.

use std::pin::pin;

use asyncio_streams::bindings::types::Error as RawError;
use asyncio_streams::{
    ConnectOptions, Reader, Waits, Wanted, Writer, byte_stream, cli, from_stream, open_connection,
    sleep, start_server,
};
use asyncio_streams_test_programs::{
    Certificates, Failure, Pair, Result, begun_and_dropped, check, is_refused, matching, memory,
    port, same, tcp, tcp_of, tls_with, upgraded,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let (input, _end) = cli::stdin().await?;
    loop {
        let line = input.readline().await?;
        let line = String::from_utf8_lossy(&line);
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, count, peer] = words.as_slice() else {
            return Ok(());
        };
        let (count, peer) = (count.parse()?, peer.parse()?);
        match *name {
            "serve" => return serving().await,
            "open-refused" | "open" => opening(name, count, peer).await?,
            "accept" | "accept-dropped" => accepting(name, count).await?,
            "server" | "tcp-pair" | "deadline" | "into-stream" | "into-stream-dropped" => {
                connecting(name, count).await?;
            }
            "tls-pair" | "start-tls" | "tls-echo" => protecting(name, count).await?,
            _ => on_a_pair(name, count).await?,
        }
        cli::println("done").await?;
    }
}

/// Echoes for as long as the process lives. Each operation is a call of the component.
async fn serving() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    cli::println(port(&server)?).await?;
    let echo = async |reader: Reader, writer: Writer| {
        loop {
            let data = reader.raw().read(Some(65_536)).await?;
            if data.is_empty() {
                return Ok::<_, RawError>(());
            }
            writer.raw().write(&data)?;
            writer.raw().drain().await?;
        }
    };
    Ok(server.serve_forever(echo).await?)
}

async fn repeat(count: u64, mut body: impl AsyncFnMut() -> Result) -> Result {
    for _ in 0..count {
        body().await?;
    }
    Ok(())
}

/// Connections to the outside peer.
async fn opening(name: &str, count: u64, port: u16) -> Result {
    let refused = name == "open-refused";
    repeat(count, async || {
        match open_connection("127.0.0.1", port).await {
            Ok((reader, writer)) if !refused => {
                same!(reader.read(1).await?, b"");
                writer.close();
                writer.wait_closed().await?;
                same!(reader.buffered(), 0);
            }
            Err(error) if refused && is_refused(&error) => {}
            other => {
                return Err(Failure::new(format_args!(
                    "not what was expected: {other:?}"
                )));
            }
        }
        Ok(())
    })
    .await
}

/// Connections from outside peers, each of which sends a byte.
async fn accepting(name: &str, count: u64) -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    cli::println(port(&server)?).await?;
    repeat(count, async || {
        let (reader, writer) = match name {
            "accept" => server.accept().await?,
            _ => {
                // A cancelled wait leaves nothing behind.
                drop(begun_and_dropped(server.wait_connection()).await);
                server.accept().await?
            }
        };
        let byte = reader.read(1).await?;
        writer.send(byte).await?;
        // The peer closes first.
        same!(reader.read(1).await?, b"");
        writer.close();
        Ok(writer.wait_closed().await?)
    })
    .await
}

/// One connection for each iteration, both ends in this program. The accepted end closes first: the connection stays
/// in TIME_WAIT at the port of the one server, and the ports of thousands of clients are free again.
async fn connecting(name: &str, count: u64) -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    repeat(count, async || {
        match name {
            "server" => {
                let server = start_server(["127.0.0.1"], 0).await?;
                server.close();
                server.wait_closed().await;
            }
            "deadline" => {
                let server = start_server(["127.0.0.1"], 0).await?;
                let options = ConnectOptions::new().deadline(std::time::Duration::from_secs(60));
                options.open_connection("127.0.0.1", port(&server)?).await?;
            }
            "tcp-pair" => {
                let Pair { left, right } = tcp_of(&server).await?;
                drop(right);
                drop(left);
            }
            _ => {
                let Pair { left, right } = tcp_of(&server).await?;
                right.writer.send("given away").await?;
                right.writer.close();
                let (mut stream, end) = left.reader.into_stream().await?;
                if name == "into-stream" {
                    loop {
                        let (result, _) = stream.read(Vec::with_capacity(100)).await;
                        if result == asyncio_streams::wit_bindgen::StreamResult::Dropped {
                            break;
                        }
                    }
                    end.await?;
                }
            }
        }
        Ok(())
    })
    .await
}

/// Protected connections.
async fn protecting(name: &str, count: u64) -> Result {
    let given = Certificates::from_arguments(0)?;
    let (client, server) = (given.client()?, given.server()?);
    if name != "tls-echo" {
        return repeat(count, async || {
            drop(match name {
                "tls-pair" => tls_with(&client, &server).await?,
                _ => upgraded(&client, &server).await?,
            });
            Ok(())
        })
        .await;
    }
    let Pair { left, right } = tls_with(&client, &server).await?;
    repeat(count, async || {
        left.writer.raw().send(b"x".to_vec()).await?;
        let byte = right.reader.raw().read(Some(100)).await?;
        right.writer.raw().send(byte).await?;
        same!(left.reader.raw().read(Some(100)).await?, b"x");
        Ok(())
    })
    .await
}

/// Operations on one connection, each a call of the component.
async fn on_a_pair(name: &str, count: u64) -> Result {
    let Pair { left, right } = match name {
        "memory-echo" => memory().await?,
        _ => tcp().await?,
    };
    let (reader, writer) = (left.reader.raw(), left.writer.raw());
    repeat(count, async || {
        match name {
            "echo" | "memory-echo" => {
                writer.send(b"x".to_vec()).await?;
                let byte = right.reader.raw().read(Some(100)).await?;
                right.writer.raw().send(byte).await?;
                same!(reader.read(Some(100)).await?, b"x");
            }
            "read-ready" => {
                right.writer.write("12")?;
                same!(reader.read(Some(1)).await?, b"1");
                same!(reader.read(Some(1)).await?, b"2");
            }
            "wait-ready" => {
                if reader.buffered() == 0 {
                    right.writer.write("1")?;
                }
                reader.wait(Wanted::Any).await?;
            }
            "read-cancel" => {
                let mut read = pin!(reader.read(Some(1)));
                check!(futures::poll!(read.as_mut()).is_pending());
                reader.cancel();
                matching!(read.await, Err(RawError::Cancelled));
            }
            "wait-cancel" => {
                let mut wait = pin!(reader.wait(Wanted::Any));
                check!(futures::poll!(wait.as_mut()).is_pending());
                reader.cancel();
                matching!(wait.await, Err(RawError::Cancelled));
            }
            "read-dropped" => check!(begun_and_dropped(reader.read(Some(1))).await.is_none()),
            "wait-dropped" => {
                check!(begun_and_dropped(reader.wait(Wanted::Any)).await.is_none());
            }
            "drain" => writer.drain().await?,
            "flush" => {
                writer.write(b"x")?;
                writer.flush().await?;
                same!(right.reader.raw().read(Some(1)).await?, b"x");
            }
            "wait-closed-cancel" => {
                let mut closed = pin!(writer.wait_closed());
                check!(futures::poll!(closed.as_mut()).is_pending());
                writer.cancel(Waits::WAIT_CLOSED);
                matching!(closed.await, Err(RawError::Cancelled));
            }
            "write-stream" => {
                let (mut to, data) = byte_stream();
                let feeding = async {
                    to.write_all(b"x".to_vec()).await;
                    drop(to);
                };
                let ((taken, result), ()) = futures::join!(left.writer.write_stream(data), feeding);
                result?;
                same!(taken, 1);
                same!(right.reader.raw().read(Some(1)).await?, b"x");
            }
            "from-stream" => {
                let (mut to, data) = byte_stream();
                let given = from_stream(data, 100).await?;
                let (bytes, _) = futures::join!(given.read(1), async {
                    to.write_all(b"x".to_vec()).await;
                });
                same!(bytes?, b"x");
            }
            "sleep" => sleep(std::time::Duration::from_nanos(1)).await,
            other => return Err(Failure::new(format_args!("no such loop: {other}"))),
        }
        Ok(())
    })
    .await
}
