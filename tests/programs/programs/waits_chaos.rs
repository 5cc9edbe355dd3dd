//! Many tasks wait at once, and each wait may be given up at any point: nothing is lost, and every task goes on.
//!
//! Connections in TCP and in memory are read by calls of all kinds and pass from task to task. Clients come and go meanwhile, servers
//! close, and a watch of the program reports beside that of the crate. Arguments: the first seed, and the number of seeds.

use std::pin::{Pin, pin};
use std::time::Duration;

use asyncio_streams::bindings::numbers::{self, Event, Watch};
use asyncio_streams::{
    Error, Reader, Server, Waits, Wanted, Writer, cli, open_connection, sleep, spawn, start_server,
    timeout,
};
use asyncio_streams_test_programs::{
    Failure, Pair, Random, Result, begun_and_dropped, check, follow, memory, pattern, port, reads,
    tcp, turns, within_turns, writes,
};
use futures::future::try_join_all;
use futures::io::{AsyncReadExt as _, AsyncWriteExt as _};

asyncio_streams::run!(main);

const CONNECTIONS: usize = 10;

/// The most bytes of one direction.
const MOST: usize = 40_000;

/// Far more than a round takes.
const PATIENCE: Duration = Duration::from_secs(40);

async fn main() -> Result {
    let arguments = cli::arguments();
    let mut numbers = arguments.iter().map(|number| number.parse::<u64>());
    let first = numbers.next().transpose()?.unwrap_or(1);
    let seeds = numbers.next().transpose()?.unwrap_or(3);
    for seed in first..first + seeds {
        timeout(PATIENCE, round(seed))
            .await
            .map_err(|_| Failure::new(format_args!("seed {seed} stalls")))?
            .map_err(|failure| Failure::new(format_args!("seed {seed}: {failure}")))?;
    }
    Ok(())
}

async fn round(seed: u64) -> Result {
    let mut random = Random::new(seed);
    let mut seeds = || Random::new(random.below(1 << 30) as u64);
    let ways = (0..CONNECTIONS).map(|_| connection(seeds()));
    let ways = try_join_all(ways.collect::<Vec<_>>());
    let (first, second) = (clients(seeds()), clients(seeds()));
    futures::try_join!(ways, first, second, own_watch(seeds()))?;
    Ok(())
}

/// Waits until a task has ended.
async fn end<T>(task: asyncio_streams::Task<Result<T>>) -> Result<T> {
    task.await.ok_or_else(|| Failure::new("a task has gone"))?
}

/// Fails with the name of a call that stalls.
async fn soon<T>(what: impl std::fmt::Display, call: impl Future<Output = T>) -> Result<T> {
    timeout(PATIENCE / 2, call)
        .await
        .map_err(|_| Failure::new(format_args!("{what} stalls")))
}

/// Both directions of a connection, each read and written by tasks of its own.
async fn connection(mut random: Random) -> Result {
    let Pair { left, right } = if random.below(3) == 0 {
        memory().await?
    } else {
        tcp().await?
    };
    let mut tasks = Vec::new();
    let mut writers = Vec::new();
    for (writer, reader) in [(left.writer, right.reader), (right.writer, left.reader)] {
        let length = random.below(MOST);
        let (one, other) = (
            Random::new(random.below(1 << 30) as u64),
            Random::new(random.below(1 << 30) as u64),
        );
        writers.push(spawn(send(writer, one, length)));
        tasks.push(spawn(receive(reader, other, length)));
    }
    let mut kept = Vec::new();
    for task in writers {
        kept.push(soon("a sender", end(task)).await??);
    }
    for task in tasks {
        soon("a receiver", end(task)).await??;
    }
    for writer in kept {
        match random.below(3) {
            0 => writer.abort(),
            1 => writer.close(),
            _ => {
                writer.close();
                // Either end may be the first to close.
                drop(soon("wait-closed", writer.wait_closed()).await?);
            }
        }
    }
    Ok(())
}

async fn send(writer: Writer, mut random: Random, length: usize) -> Result<Writer> {
    let mut sent = 0;
    while sent < length {
        let most = if random.below(6) == 0 { 30_000 } else { 300 };
        let n = (1 + random.below(most)).min(length - sent);
        let piece = pattern(sent, n);
        sent += n;
        match random.below(8) {
            0 => writes(&writer).write_all(&piece).await?,
            1 => writer.raw().write(&piece)?,
            2 => {
                for part in piece.chunks(1 + n / 3) {
                    writer.write(part)?;
                    turns(random.below(2)).await;
                }
            }
            _ => writer.write(&piece)?,
        }
        match random.below(9) {
            0 => writer.flush().await?,
            1 => drop(within_turns(random.below(4), writer.flush()).await),
            2 => drop(begun_and_dropped(writer.drain()).await),
            3 => {
                let (drained, ()) = futures::join!(writer.drain(), async {
                    turns(random.below(3)).await;
                    writer.cancel(Waits::DRAIN);
                });
                check!(matches!(drained, Ok(()) | Err(Error::Cancelled)));
            }
            4 => sleep(Duration::from_micros(random.below(800) as u64)).await,
            5 => writes(&writer).flush().await?,
            6 => turns(random.below(4)).await,
            _ => {}
        }
        writer.drain().await?;
    }
    writer.write_eof()?;
    Ok(writer)
}

/// The state of a reading that goes from task to task.
struct Receiving {
    reader: Reader,
    random: Random,
    got: usize,
}

async fn receive(reader: Reader, random: Random, length: usize) -> Result {
    let mut receiving = Receiving {
        reader,
        random,
        got: 0,
    };
    loop {
        // Another task goes on; the one before has waits that it gave up.
        let (back, over) = end(spawn(receiving.some())).await?;
        receiving = back;
        if over {
            check!(
                receiving.got == length,
                "{} of {length} bytes",
                receiving.got
            );
            return Ok(());
        }
    }
}

impl Receiving {
    async fn some(mut self) -> Result<(Self, bool)> {
        for _ in 0..1 + self.random.below(30) {
            let got = self.got;
            let read = self
                .read()
                .await
                .map_err(|error| Failure::new(format_args!("after {got} bytes: {error}")))?;
            let (bytes, ended) = match read {
                None => continue,
                Some(Got::Bytes(bytes)) => (bytes, false),
                Some(Got::AndEnd(bytes)) => (bytes, true),
            };
            self.got = follow(self.got, &bytes)?;
            if ended {
                return Ok((self, true));
            }
        }
        Ok((self, false))
    }

    async fn read(&mut self) -> std::result::Result<Option<Got>, Error> {
        const SEPARATORS: [&[u8]; 2] = [b"\r", b"\xff\0"];
        let (reader, random) = (&self.reader, &mut self.random);
        let most = if random.below(5) == 0 { 20_000 } else { 200 };
        let n = 1 + random.below(most);
        let kind = random.below(12);
        let line = random.below(2) == 0;
        let call: Pin<Box<dyn Future<Output = std::result::Result<Vec<u8>, Error>> + '_>> =
            match kind {
                0 | 1 => Box::pin(reader.readline()),
                2 | 3 => Box::pin(reader.readexactly(n)),
                4 => Box::pin(reader.readuntil([0x80])),
                5 => Box::pin(reader.readuntil_any(&SEPARATORS)),
                6 => Box::pin(reader.readlines(n)),
                7 => Box::pin(async move {
                    let mut room = vec![0; n];
                    let read = reads(reader).read(&mut room).await.map_err(inner)?;
                    room.truncate(read);
                    Ok(room)
                }),
                8 => Box::pin(async move {
                    reader
                        .wait(if line { Wanted::Line } else { Wanted::Any })
                        .await?;
                    reader.read(n).await
                }),
                9 if random.below(20) == 0 => Box::pin(async move {
                    // A raw read that is dropped may lose its result, a wait does not.
                    let raw = reader.raw();
                    raw.wait(Wanted::Any).await?;
                    Ok(raw.try_read(n as u32)?.unwrap_or_default())
                }),
                _ => Box::pin(reader.read(n)),
            };
        let answer = match random.below(6) {
            0 => within_turns(random.below(5), call).await,
            1 => begun_and_dropped(call).await,
            2 => timeout(Duration::from_micros(random.below(900) as u64), call)
                .await
                .ok(),
            3 => {
                let patience = random.below(4);
                let (answer, ()) = futures::join!(call, async {
                    turns(patience).await;
                    reader.cancel();
                });
                match answer {
                    Err(Error::Cancelled) => None,
                    answer => Some(answer),
                }
            }
            _ => Some(call.await),
        };
        Ok(match answer {
            None => None,
            Some(Ok(bytes)) if bytes.is_empty() => Some(Got::AndEnd(bytes)),
            Some(Ok(bytes)) => Some(Got::Bytes(bytes)),
            Some(Err(Error::IncompleteRead(read))) => Some(Got::AndEnd(read.partial)),
            Some(Err(error)) => return Err(error),
        })
    }
}

/// The crate's error in one of its traits.
fn inner(error: std::io::Error) -> Error {
    error.downcast().unwrap_or(Error::Closed)
}

enum Got {
    Bytes(Vec<u8>),
    AndEnd(Vec<u8>),
}

/// Clients that come and go at a server, which closes while a wait for them is pending.
async fn clients(mut random: Random) -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let count = 5 + random.below(15);
    let other = Random::new(random.below(1 << 30) as u64);
    let connecting = spawn(come_and_go(port, count, other));
    let mut answering = Vec::new();
    while answering.len() < count {
        if let Some((reader, writer)) = accept(&server, &mut random).await? {
            let mut random = Random::new(random.below(1 << 30) as u64);
            answering.push(spawn(
                async move { answer(&reader, &writer, &mut random).await },
            ));
        }
    }
    for task in answering {
        soon("an answer", end(task)).await??;
    }
    soon("the clients", end(connecting)).await??;
    // The server closes while an accept is pending.
    let wait = random.below(4);
    let (accepted, ()) = futures::join!(soon("a closed server", server.accept()), async {
        turns(wait).await;
        server.close();
    });
    check!(matches!(accepted?, Err(Error::Closed)));
    Ok(())
}

async fn accept(server: &Server, random: &mut Random) -> Result<Option<(Reader, Writer)>> {
    let patience = random.below(4);
    Ok(match random.below(5) {
        0 => within_turns(patience, server.accept()).await.transpose()?,
        1 => begun_and_dropped(server.accept()).await.transpose()?,
        2 => {
            let (accepted, ()) = futures::join!(server.accept(), async {
                turns(patience).await;
                server.cancel();
            });
            match accepted {
                Err(Error::Cancelled) => None,
                accepted => Some(accepted?),
            }
        }
        3 => {
            drop(within_turns(patience, server.wait_connection()).await);
            server.try_accept()?
        }
        _ => Some(soon("an accept", server.accept()).await??),
    })
}

/// Clients, each with a line to be echoed; some leave without waiting.
async fn come_and_go(port: u16, count: usize, mut random: Random) -> Result {
    let mut clients = Vec::new();
    for _ in 0..count {
        turns(random.below(6)).await;
        let (reader, writer) = open_connection("127.0.0.1", port).await?;
        let way = random.below(4);
        let length = random.below(3000);
        clients.push(spawn(async move {
            let line = [vec![b'x'; length], b"\n".to_vec()].concat();
            writer.write(&line)?;
            match way {
                0 => writer.abort(),
                1 => writer.close(),
                2 => drop((reader, writer)),
                _ => check!(reader.readline().await? == line),
            }
            Result::Ok(())
        }));
    }
    for client in clients {
        soon("a client", end(client)).await??;
    }
    Ok(())
}

/// Echoes a line. The peer may be gone at any point.
async fn answer(reader: &Reader, writer: &Writer, random: &mut Random) -> Result {
    let line = loop {
        match random.below(3) {
            0 => match within_turns(random.below(3), reader.readline()).await {
                Some(line) => break line,
                None => continue,
            },
            _ => break soon("a line", reader.readline()).await?,
        }
    };
    if let Ok(line) = line {
        check!(line.iter().all(|byte| matches!(byte, b'x' | b'\n')));
        if writer.write(&line).is_ok() {
            drop(soon("a drain", writer.drain()).await?);
        }
    }
    Ok(())
}

/// A watch of the program's own, with other readers.
async fn own_watch(mut random: Random) -> Result {
    let watch = Watch::new();
    let mut keys = watch.reports().await?;
    let pair = tcp().await?;
    let input = numbers::reader_number(pair.right.reader.raw());
    numbers::add(watch.number(), input, &Event::Readable(Wanted::Any), 1)?;
    let mut there = numbers::ready(watch.number())?;
    let (mut sent, mut got) = (0, 0);
    for _ in 0..30 {
        let n = 1 + random.below(100);
        pair.left.writer.write(pattern(sent, n))?;
        sent += n;
        turns(random.below(4)).await;
        while got < sent {
            if there.is_empty() {
                let mut reading = pin!(keys.read(Vec::with_capacity(4)));
                there = match within_turns(random.below(5), reading.as_mut()).await {
                    Some((_, read)) => read,
                    None => reading.as_mut().cancel().1,
                };
            }
            if there.is_empty() {
                there = soon("a watch", keys.read(Vec::with_capacity(4))).await?.1;
            }
            check!(there == [1]);
            let bytes = numbers::try_read(input, 1 << 16)?.unwrap_or_default();
            check!(!bytes.is_empty());
            got = follow(got, &bytes)?;
            numbers::again(watch.number(), 1)?;
            there = numbers::ready(watch.number())?;
        }
    }
    Ok(())
}
