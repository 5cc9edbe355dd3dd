//! Random conversations on many connections for a given time: every byte is checked at the other end.
//!
//! Arguments: the seconds, and how many connections at once. It prints figures a hundred times, and once more at the
//! end.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use asyncio_streams::{
    ConnectOptions, Error, Reader, ServerOptions, Writer, cli, now, sleep, timeout,
};
use asyncio_streams_test_programs::{
    Failure, Figures, Random, Result, Traffic, Wrong, is_loss, port, receive, send,
};
use futures::future::try_join_all;

asyncio_streams::run!(main);

/// Short, so that over-long lines are frequent.
const LIMIT: usize = 500;

/// The time of one conversation: far more than any needs.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Soak {
    figures: Figures,
    conversations: Cell<u64>,
    aborted: Cell<u64>,
    /// The first failure of the ends that accept.
    failure: RefCell<Option<Failure>>,
}

async fn main() -> Result {
    let arguments = cli::arguments();
    let [seconds, connections] = arguments.as_slice() else {
        return Err(Failure::new("the arguments are to be two numbers"));
    };
    let (time, connections) = (Duration::from_secs(seconds.parse()?), connections.parse()?);
    let until = now() + time;
    let soak = Soak::default();
    let server = ServerOptions::new()
        .limit(LIMIT)
        .backlog(1000)
        .start_server(["127.0.0.1"], 0)
        .await?;
    let port = port(&server)?;
    let working = async {
        try_join_all((0..connections).map(|number| work(number, port, until, &soak))).await?;
        server.close();
        Ok(())
    };
    let serving = async {
        let handler = async |reader, writer| {
            if let Err(failure) = answer(&reader, &writer, &soak).await {
                *soak.failure.borrow_mut() = Some(failure);
            }
        };
        Ok(server.serve_forever(handler).await?)
    };
    futures::try_join!(working, serving, report(time / 100, until, &soak))?;
    match soak.failure.take() {
        Some(failure) => Err(failure),
        None => say("in all ", &soak).await,
    }
}

async fn report(pause: Duration, until: Duration, soak: &Soak) -> Result {
    while now() < until {
        sleep(pause).await;
        say("", soak).await?;
    }
    Ok(())
}

async fn say(what: &str, soak: &Soak) -> Result {
    let (conversations, aborted, figures) =
        (soak.conversations.get(), soak.aborted.get(), &soak.figures);
    let line = format!("{what}{conversations} conversations, {aborted} of them aborted, {figures}");
    Ok(cli::println(line).await?)
}

/// The actions of both ends of a conversation, which each computes from the seed.
struct Plan {
    /// The bytes that each end sends: their range in the pattern.
    sends: [(usize, usize); 2],
    /// The end that aborts instead of ending, and before which byte.
    abort: Option<(usize, usize)>,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let sends = [(); 2].map(|()| {
            let size = match random.below(20) {
                0 => 0,
                1..=10 => random.below(3000),
                11..=18 => random.below(100_000),
                _ => random.below(2_000_000),
            };
            let start = random.below(1 << 30);
            (start, start + size)
        });
        let abort = match random.below(20) {
            0 => Some((0, sends[0])),
            1 => Some((1, sends[1])),
            _ => None,
        };
        let abort = abort.map(|(end, (from, to))| (end, from + random.below(to - from + 1)));
        Plan { sends, abort }
    }
}

/// One conversation after the other, as the end that connects.
async fn work(number: u64, port: u16, until: Duration, soak: &Soak) -> Result {
    let mut random = Random::new(number);
    let options = ConnectOptions::new().limit(LIMIT);
    while now() < until && soak.failure.borrow().is_none() {
        let seed = random.below(1 << 30) as u64;
        let (reader, writer) = options.open_connection("127.0.0.1", port).await?;
        writer.write(seed.to_le_bytes())?;
        converse(0, seed, &reader, &writer, soak).await?;
        let aborted = Plan::new(seed).abort.is_some();
        Figures::count(&soak.conversations, 1);
        Figures::count(&soak.aborted, usize::from(aborted));
    }
    Ok(())
}

/// A conversation as the end that accepts.
async fn answer(reader: &Reader, writer: &Writer, soak: &Soak) -> Result {
    match reader.readexactly(8).await {
        Ok(bytes) => {
            let seed = bytes
                .iter()
                .rev()
                .fold(0, |seed, byte| seed << 8 | u64::from(*byte));
            converse(1, seed, reader, writer, soak).await
        }
        // The other end may abort before anything was sent.
        Err(error) if is_loss(&error) || matches!(error, Error::IncompleteRead(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn converse(me: usize, seed: u64, reader: &Reader, writer: &Writer, soak: &Soak) -> Result {
    let plan = Plan::new(seed);
    let failed =
        |why: String| Failure::new(format_args!("end {me} of the conversation {seed}: {why}"));
    let talk = async {
        let sent = sending(me, seed, &plan, writer, &soak.figures);
        let received = receiving(1 - me, seed, &plan, reader, &soak.figures);
        match futures::join!(sent, received) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(Wrong::Bytes(why)), _) | (_, Err(Wrong::Bytes(why))) => {
                Err(failed(why.to_string()))
            }
            (sent, received) => {
                let errors = [sent, received].into_iter().filter_map(|end| end.err());
                let mut others = errors.filter(|wrong| !is_of_abort(wrong, &plan));
                others
                    .next()
                    .map_or(Ok(()), |wrong| Err(failed(format!("{wrong:?}"))))
            }
        }
    };
    timeout(PATIENCE, talk)
        .await
        .map_err(|_| failed("it does not end".into()))??;
    writer.close();
    let closed = timeout(PATIENCE, writer.wait_closed()).await;
    match closed.map_err(|_| failed("it does not close".into()))? {
        Err(error) if plan.abort.is_none() => Err(failed(format!("closing: {error:?}"))),
        _ => Ok(()),
    }
}

/// Whether an abort of either end explains the error.
fn is_of_abort(wrong: &Wrong, plan: &Plan) -> bool {
    plan.abort.is_some()
        && matches!(wrong, Wrong::Call(error) if is_loss(error) || *error == Error::Closed)
}

async fn sending(me: usize, seed: u64, plan: &Plan, writer: &Writer, figures: &Figures) -> Traffic {
    let mut random = Random::new(seed ^ (10 + me as u64));
    let (start, end) = plan.sends[me];
    match plan.abort {
        Some((end, until)) if end == me => {
            send(writer, start, until, &mut random, figures).await?;
            writer.abort();
        }
        _ => {
            send(writer, start, end, &mut random, figures).await?;
            // The other end may also see the end only when this one closes.
            if me == 0 || random.below(2) == 0 {
                writer.write_eof()?;
            }
        }
    }
    Ok(())
}

async fn receiving(
    from: usize,
    seed: u64,
    plan: &Plan,
    reader: &Reader,
    figures: &Figures,
) -> Traffic {
    let mut random = Random::new(seed ^ (20 + from as u64));
    let (start, end) = plan.sends[from];
    let position = receive(reader, start, &mut random, figures).await?;
    if position == end || plan.abort.is_some() {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "{} bytes instead of {}",
        position - start,
        end - start
    ))
    .into())
}
