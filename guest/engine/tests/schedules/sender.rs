//! The sending side of a connection: writes at random, then ends at random.

use std::rc::Rc;

use asyncio_streams_engine::Wait;
use asyncio_streams_engine::platform::Sink;
use asyncio_streams_engine::testing::{Host, Random, stream};

use crate::ledger::Entry;
use crate::support::{Error, Writer, interrupted, pattern, turns, within};
use crate::{PATIENCE, Plan};

pub(crate) async fn run(
    plan: Plan,
    host: Host,
    writer: Rc<Writer>,
    entry: Entry,
    mut random: Random,
) {
    let mut sent = 0;
    let total = random.below(60_000);
    while sent < total {
        let stepping = step(&plan, &host, &writer, entry, &mut random, &mut sent);
        let Some(stepped) = within(&plan.network, PATIENCE, stepping).await else {
            assert!(plan.lossy, "it waits forever");
            plan.ledger.broken(entry);
            return writer.abort();
        };
        match stepped {
            Ok(()) | Err(Error::BufferFull | Error::Cancelled | Error::Busy) => {}
            Err(_) => {
                plan.ledger.broken(entry);
                break;
            }
        }
        if random.once_in(60) {
            plan.ledger.broken(entry);
            writer.abort();
        }
    }
    if writer.is_closing() {
        plan.ledger.broken(entry);
    }
    end(&plan, &writer, entry, &mut random).await;
}

/// Does one random step.
async fn step(
    plan: &Plan,
    host: &Host,
    writer: &Rc<Writer>,
    entry: Entry,
    random: &mut Random,
    sent: &mut usize,
) -> Result<(), Error> {
    let n = if random.once_in(8) {
        random.below(30_000)
    } else {
        random.below(300)
    };
    let data = pattern(entry.start() + *sent, n);
    let mut queued = |n: usize| {
        *sent += n;
        plan.ledger.queued(entry, n);
    };
    match random.below(10) {
        0..=2 => {
            // Counted first: the other end may receive the bytes before this one continues.
            writer.write(&data)?;
            queued(n);
        }
        3 => {
            let at = random.below(n + 1);
            writer.writelines(&[&data[..at], b"", &data[at..]])?;
            queued(n);
        }
        4 => writer.drain().await?,
        5 => writer.flush().await?,
        6 => {
            let k = random.below(6);
            interrupted(writer.drain(), k).await.transpose()?;
            interrupted(writer.flush(), k).await.transpose()?;
        }
        7 => {
            let k = random.below(40);
            let other = writer.clone();
            let cancel = async move {
                turns(k).await;
                other.cancel(Wait::Drain);
                other.cancel(Wait::Flush);
            };
            let (drained, ()) = futures::join!(writer.drain(), cancel);
            drained?;
        }
        8 => {
            let given = write_stream(plan, host, writer, entry, random, data).await;
            *sent += given;
        }
        _ => turns(random.below(5)).await,
    }
    Ok(())
}

/// Sends from a stream, perhaps not to its end. Returns how many bytes were taken.
async fn write_stream(
    plan: &Plan,
    host: &Host,
    writer: &Rc<Writer>,
    entry: Entry,
    random: &mut Random,
    data: Vec<u8>,
) -> usize {
    let (mut sink, source) = stream(host);
    let all = data.len();
    let feeding = plan.network.spawn(async move {
        let mut given = 0;
        if !data.is_empty() {
            given = sink.start(data);
            let mut rest = crate::support::Rest(&mut sink);
            while let Ok(n @ 1..) = rest.next().await {
                given += n;
            }
        }
        given
    });
    // Bytes from the stream are queued at once, and their number is not known before. So all of them are counted.
    plan.ledger.queued(entry, all);
    let interrupt = random.once_in(3);
    let k = random.below(30);
    let taken = if interrupt {
        interrupted(writer.write_stream(Box::new(source)), k).await
    } else if random.once_in(3) {
        let other = writer.clone();
        let cancel = async move {
            turns(k).await;
            other.cancel(Wait::WriteStream);
        };
        let (taken, ()) = futures::join!(writer.write_stream(Box::new(source)), cancel);
        Some(taken)
    } else {
        Some(writer.write_stream(Box::new(source)).await)
    };
    let given = feeding.await;
    if let Some((taken, result)) = taken {
        assert_eq!(
            taken as usize, given,
            "a write-stream took other bytes than it reported"
        );
        if given == all {
            assert!(
                !matches!(result, Err(Error::Busy)),
                "nothing else was written meanwhile"
            );
        }
    }
    plan.ledger.unqueue(entry, all - given);
    given
}

async fn end(plan: &Plan, writer: &Rc<Writer>, entry: Entry, random: &mut Random) {
    plan.ledger.ended(entry);
    match random.below(6) {
        0 | 1 => {
            if writer.write_eof().is_err() {
                plan.ledger.broken(entry);
            }
            turns(random.below(30)).await;
        }
        2 | 3 => {
            writer.close();
            let closed = within(&plan.network, PATIENCE, writer.wait_closed()).await;
            if closed.expect("the close deadline has passed").is_err() {
                plan.ledger.broken(entry);
            }
        }
        4 => {
            plan.ledger.broken(entry);
            writer.abort();
        }
        _ => {}
    }
}
