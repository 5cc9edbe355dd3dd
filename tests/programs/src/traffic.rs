//! Random ways to send and to receive: every kind of call, some of them cancelled, with every byte checked.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use asyncio_streams::{Error, Reader, Wanted, Writer, byte_stream, sleep, timeout};
use wit_bindgen::StreamResult;

use crate::{Failure, Random, follow, pattern};

/// Counters of the operations.
#[derive(Debug, Default)]
pub struct Figures {
    /// Bytes that were received and right.
    pub bytes: Cell<u64>,
    /// Reads that returned bytes.
    pub reads: Cell<u64>,
    /// Writes.
    pub writes: Cell<u64>,
    /// Calls that were cancelled while they waited.
    pub cancelled: Cell<u64>,
    /// Lines that were longer than the limit.
    pub overruns: Cell<u64>,
}

impl Figures {
    /// Adds to one of the counters.
    pub fn count(figure: &Cell<u64>, n: usize) {
        figure.set(figure.get().saturating_add(n as u64));
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures {
            bytes,
            reads,
            writes,
            cancelled,
            overruns,
        } = self;
        let [bytes, reads, writes] = [bytes, reads, writes].map(Cell::get);
        let [cancelled, overruns] = [cancelled, overruns].map(Cell::get);
        write!(
            f,
            "{bytes} bytes, {reads} reads, {writes} writes, {cancelled} cancelled, {overruns} over-long lines"
        )
    }
}

/// The reason why an end gave up.
#[derive(Debug)]
pub enum Wrong {
    /// A call failed.
    Call(Error),
    /// Wrong bytes arrived.
    Bytes(Failure),
}

/// The result of sending and receiving.
pub type Traffic<T = ()> = Result<T, Wrong>;

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Wrong::Call(error)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Wrong::Bytes(failure)
    }
}

/// Sends the pattern from `start` to `end`, in pieces and by calls of all kinds.
///
/// # Errors
/// The error of the first call that fails.
pub async fn send(
    writer: &Writer,
    start: usize,
    end: usize,
    random: &mut Random,
    figures: &Figures,
) -> Traffic {
    let mut position = start;
    while position < end {
        let size = size(random, 100_000).min(end - position);
        let piece = pattern(position, size);
        position += size;
        Figures::count(&figures.writes, 1);
        match random.below(7) {
            0 => writer.write(&piece)?,
            1 => writer.writelines(&piece.chunks(1 + size / 5).collect::<Vec<_>>())?,
            2 => {
                writer.write(&piece)?;
                writer.flush().await?;
            }
            3 => {
                writer.write(&piece)?;
                if soon(random, writer.flush()).await.transpose()?.is_none() {
                    Figures::count(&figures.cancelled, 1);
                }
            }
            4 => {
                let (mut from, data) = byte_stream();
                let (rest, (taken, sent)) = futures::join!(
                    async {
                        let rest = from.write_all(piece).await;
                        drop(from);
                        rest
                    },
                    writer.write_stream(data)
                );
                sent?;
                if !rest.is_empty() || taken != size as u64 {
                    return Err(
                        Failure::new(format_args!("{taken} of {size} bytes were taken")).into(),
                    );
                }
            }
            _ => writer.send(&piece).await?,
        }
        // The queue stays within bounds, whatever the call was.
        writer.drain().await?;
    }
    Ok(())
}

/// Receives to the end of the stream by reads of all kinds. All bytes must be the pattern from `start`. Returns the
/// position of the end.
///
/// # Errors
/// The error of the first read that fails, or the first wrong byte.
pub async fn receive(
    reader: &Reader,
    start: usize,
    random: &mut Random,
    figures: &Figures,
) -> Traffic<usize> {
    let mut position = start;
    loop {
        let took = match random.below(40) {
            // The rest, at once or as a stream.
            0 => Took::AndEnd(reader.read_to_end().await?),
            1 => return stream(reader, position, figures).await,
            _ => one(reader, random, figures).await?,
        };
        let (bytes, ended) = match took {
            Took::Nothing => continue,
            Took::Bytes(bytes) => {
                let ended = bytes.is_empty();
                (bytes, ended)
            }
            Took::AndEnd(bytes) => (bytes, true),
        };
        position = follow(position, &bytes)?;
        Figures::count(&figures.reads, 1);
        Figures::count(&figures.bytes, bytes.len());
        if ended {
            if !reader.at_eof() || reader.exception().is_some() {
                return Err(
                    Failure::new(format_args!("an end that is none, at {position}")).into(),
                );
            }
            return Ok(position);
        }
    }
}

enum Took {
    /// A cancelled read; the next read must continue at its place.
    Nothing,
    /// Empty only at the end.
    Bytes(Vec<u8>),
    /// The bytes before the end.
    AndEnd(Vec<u8>),
}

/// One read of any kind.
async fn one(reader: &Reader, random: &mut Random, figures: &Figures) -> Traffic<Took> {
    const SEPARATORS: [&[u8]; 3] = [b"\r", b"\0\x01", b"\xff"];
    let n = size(random, 200_000);
    let read = match random.below(10) {
        0 => reader.read(n).await.map(Some),
        1 => reader.readexactly(n).await.map(Some),
        2 => reader.readline().await.map(Some),
        3 => reader.readuntil([0x80]).await.map(Some),
        4 => reader.readuntil_any(&SEPARATORS).await.map(Some),
        5 => reader.readlines(n).await.map(Some),
        6 => {
            reader.wait(Wanted::Any).await?;
            let seen = reader.peek(n);
            let dropped = reader.discard(n)?;
            if dropped != seen.len() {
                return Err(
                    Failure::new(format_args!("{dropped} dropped of {}", seen.len())).into(),
                );
            }
            // At the end, or at a failure, the buffer is empty: the read returns it.
            if seen.is_empty() {
                reader.read(1).await.map(Some)
            } else {
                Ok(Some(seen))
            }
        }
        7 => soon(random, reader.readexactly(n)).await.transpose(),
        8 => soon(random, reader.readline()).await.transpose(),
        _ => {
            let pause = Duration::from_micros(random.below(3000) as u64);
            let cancelling = async {
                sleep(pause).await;
                reader.cancel();
            };
            match futures::join!(reader.readuntil(b"\n\n\n"), cancelling).0 {
                Err(Error::Cancelled) => Ok(None),
                read => read.map(Some),
            }
        }
    };
    match read {
        Ok(Some(bytes)) => Ok(Took::Bytes(bytes)),
        Ok(None) => {
            Figures::count(&figures.cancelled, 1);
            Ok(Took::Nothing)
        }
        Err(Error::LimitOverrun(overrun)) => {
            Figures::count(&figures.overruns, 1);
            let long = reader.peek(overrun.consumed as usize);
            if reader.discard(long.len())? != overrun.consumed as usize {
                return Err(Failure::new("an overrun of bytes that are not there").into());
            }
            Ok(Took::Bytes(long))
        }
        Err(Error::IncompleteRead(read)) => Ok(Took::AndEnd(read.partial)),
        Err(error) => Err(error.into()),
    }
}

/// The rest as a stream.
async fn stream(reader: &Reader, start: usize, figures: &Figures) -> Traffic<usize> {
    let (mut stream, end) = reader.into_stream().await?;
    let mut position = start;
    loop {
        let (result, bytes) = stream.read(Vec::with_capacity(50_000)).await;
        position = follow(position, &bytes)?;
        Figures::count(&figures.reads, 1);
        Figures::count(&figures.bytes, bytes.len());
        if result == StreamResult::Dropped {
            end.await?;
            return Ok(position);
        }
    }
}

/// Waits briefly for a call, sometimes not at all, and then drops it.
async fn soon<T>(random: &mut Random, call: impl Future<Output = T>) -> Option<T> {
    let moment = Duration::from_micros(random.below(3000).saturating_sub(500) as u64);
    timeout(moment, call).await.ok()
}

/// Returns a number from 1 to `most`: usually a small one, sometimes a large one.
fn size(random: &mut Random, most: usize) -> usize {
    let few = random.below(8) > 0;
    random.below(if few { most / 50 } else { most }).max(1)
}
