//! The receiving side of a connection: reads at random until its end.

use std::rc::Rc;

use asyncio_streams_engine::testing::{Host, Random, stream};
use asyncio_streams_engine::{Request, Wanted};

use crate::ledger::Entry;
use crate::support::{
    Error, NetworkCode, Reader, assert_pattern, interrupted, is_network, turns, until, within,
};
use crate::{PATIENCE, Plan};

pub(crate) async fn run(
    plan: Plan,
    host: Host,
    reader: Rc<Reader>,
    entry: Entry,
    mut random: Random,
) {
    let mut receiver = Receiver {
        plan,
        reader,
        entry,
        place: entry.start(),
    };
    loop {
        if random.once_in(100) {
            // The rest is discarded.
            receiver.plan.ledger.stopped(entry);
            return;
        }
        if random.once_in(60) {
            return receiver.give_away(&host, &mut random).await;
        }
        let network = receiver.plan.network.clone();
        let Some(stepped) = within(&network, PATIENCE, receiver.step(&mut random)).await else {
            assert!(receiver.plan.lossy, "it waits forever");
            return receiver.plan.ledger.stopped(entry);
        };
        match stepped {
            Ok(true) => {}
            Ok(false) => return receiver.plan.ledger.seen(entry, receiver.plan.lossy),
            Err(Error::Cancelled) => {}
            Err(error) if is_network(&error, NetworkCode::OutOfResources) => {
                // The quota is full; a small read may still succeed.
                if let Ok(Some(bytes)) = receiver.reader.try_read(1000) {
                    receiver.got(&bytes);
                }
                turns(5).await;
            }
            Err(Error::IncompleteRead { partial, .. }) => receiver.got(&partial),
            Err(Error::LimitOverrun { consumed, .. }) => {
                let bytes = receiver.reader.readexactly(consumed as usize).await;
                match bytes {
                    Ok(bytes) => receiver.got(&bytes),
                    Err(error) => panic!("{error:?} for bytes that are buffered"),
                }
            }
            Err(_) => {
                // Buffered bytes come first; then the same error again.
                while let Ok(bytes) = receiver.reader.read(1000).await {
                    assert!(!bytes.is_empty(), "an end after a failure");
                    receiver.got(&bytes);
                }
                assert!(!receiver.reader.at_eof());
                return receiver.plan.ledger.stopped(entry);
            }
        }
    }
}

struct Receiver {
    plan: Plan,
    reader: Rc<Reader>,
    entry: Entry,
    place: usize,
}

impl Receiver {
    fn got(&mut self, bytes: &[u8]) {
        assert_pattern(self.place, bytes);
        self.place += bytes.len();
        self.plan.ledger.received(self.entry, bytes.len());
    }

    /// Does one random step. Returns false at the end.
    async fn step(&mut self, random: &mut Random) -> Result<bool, Error> {
        let reader = self.reader.clone();
        let n = 1 + if random.once_in(8) {
            random.below(20_000)
        } else {
            random.below(200)
        };
        let request = match random.below(9) {
            0..=3 => Request::Read(n),
            4 => Request::Readexactly(n),
            5 => Request::Readline,
            6 => Request::Readlines(n),
            _ => Request::Readuntil(until(&[&[7][..], &[9, 200]]).expect("separators")),
        };
        let asked_to_end = matches!(
            request,
            Request::Read(_) | Request::Readline | Request::Readlines(_)
        );
        match random.below(10) {
            0..=4 => {
                let bytes = reader.request(request).await?;
                self.got(&bytes);
                return Ok(!bytes.is_empty() || !asked_to_end);
            }
            5 => {
                // Dropped at random: consumes nothing.
                let k = random.below(10);
                if let Some(bytes) = interrupted(reader.request(request), k).await.transpose()? {
                    self.got(&bytes);
                    return Ok(!bytes.is_empty() || !asked_to_end);
                }
            }
            6 => {
                let k = random.below(20);
                let cancel = async {
                    turns(k).await;
                    reader.cancel();
                };
                let (bytes, ()) = futures::join!(reader.request(request), cancel);
                let bytes = bytes?;
                self.got(&bytes);
                return Ok(!bytes.is_empty() || !asked_to_end);
            }
            7 => {
                let wanted = if random.once_in(2) {
                    Wanted::Any
                } else {
                    Wanted::Exactly(n)
                };
                let k = random.below(30);
                interrupted(reader.wait(wanted), k).await.transpose()?;
                if let Some(bytes) = reader.try_request(request)? {
                    self.got(&bytes);
                    return Ok(!bytes.is_empty() || !asked_to_end);
                }
            }
            8 => {
                let seen = reader.peek(n);
                assert_pattern(self.place, &seen);
                let discarded = reader.discard(n)?;
                assert_eq!(discarded, seen.len());
                self.got(&seen);
            }
            _ => turns(random.below(5)).await,
        }
        Ok(true)
    }

    /// Hands the rest over, and reads it from the stream, perhaps not to its end.
    async fn give_away(&mut self, host: &Host, random: &mut Random) {
        let rest = match self.reader.give_away() {
            Ok(rest) => rest,
            Err(_) => return self.plan.ledger.stopped(self.entry),
        };
        let (sink, mut source) = stream(host);
        let copying = self.plan.network.spawn(async move {
            let (outcome, given) = rest.copy_to(Box::new(sink)).await;
            drop(given);
            outcome
        });
        let stops = random.once_in(3);
        loop {
            if stops && random.once_in(20) {
                self.plan.ledger.stopped(self.entry);
                drop(source);
                let _ = copying.await;
                return;
            }
            if random.once_in(5) {
                turns(random.below(10)).await;
            }
            let reading = source.read(1 + random.below(3000));
            match within(&self.plan.network, PATIENCE, reading).await {
                Some(Some(bytes)) => self.got(&bytes),
                Some(None) => break,
                None => {
                    assert!(self.plan.lossy, "it waits forever");
                    return self.plan.ledger.stopped(self.entry);
                }
            }
        }
        match copying.await {
            Ok(()) => self.plan.ledger.seen(self.entry, self.plan.lossy),
            Err(_) => self.plan.ledger.stopped(self.entry),
        }
    }
}
