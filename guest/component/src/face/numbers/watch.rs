//! The `watch` resource, and its keys.

use std::rc::Rc;
use std::task::{Context, Poll};

use asyncio_streams_engine::{self as engine, KeySink};
use asyncio_streams_wasi03::{Sink, StandingSet, StreamReader, let_tasks_exit};

use crate::bindings::wit_stream;
use crate::numbers::{Event, GuestWatch};
use crate::types::Error;

use super::events;
use super::table::{self, Numbered, Target};

/// `watch`. The keys are dropped before the set that their waits are in.
pub(crate) struct Watch {
    keys: Numbered<engine::Watch>,
    set: StandingSet,
}

impl GuestWatch for Watch {
    fn new() -> Self {
        Watch {
            keys: Numbered::new(engine::Watch::new(&crate::engine())),
            set: StandingSet::new(),
        }
    }

    fn number(&self) -> u64 {
        self.keys.number()
    }

    async fn wait(&self) -> Result<Vec<u32>, Error> {
        let waiting = self.keys.wait()?;
        self.set.enter().await;
        // Before anything is sent or waited for.
        let_tasks_exit().await;
        crate::engine().settle_now();
        waiting.await.map_err(Error::from)
    }

    fn cancel(&self) {
        self.keys.cancel();
    }

    async fn reports(&self) -> Result<StreamReader<u32>, Error> {
        let (to, keys) = wit_stream::new();
        self.keys.report(Box::new(Keys(Sink::to_component(to))))?;
        Ok(keys)
    }
}

/// Keys as a stream.
struct Keys(Sink<u32>);

impl KeySink for Keys {
    fn start(&mut self, keys: Vec<u32>) {
        self.0.start(keys);
    }

    fn has_rest(&self) -> bool {
        self.0.has_rest()
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.0.poll_rest(cx).map(|taken| taken.is_ok())
    }
}

pub(super) fn add(watch: u64, of: u64, event: Event, key: u32) -> Result<(), Error> {
    let keys = find(watch)?;
    let place = keys.add(key, events::of(of, event)?);
    table::waits(of, &keys, place);
    Ok(())
}

pub(super) fn again(watch: u64, key: u32) -> Result<(), Error> {
    if find(watch)?.again(key) {
        Ok(())
    } else {
        Err(table::wrong("key: no event has it"))
    }
}

pub(super) fn ready(watch: u64) -> Result<Vec<u32>, Error> {
    Ok(find(watch)?.ready())
}

pub(super) fn remove(watch: u64, key: u32) -> Result<bool, Error> {
    match find(watch)?.remove(key) {
        None => Ok(false),
        Some(result) => Ok(result.map(|()| true)?),
    }
}

fn find(number: u64) -> Result<Rc<engine::Watch>, Error> {
    match table::target(number) {
        Some(Target::Watch(keys)) => Ok(keys),
        _ => Err(table::wrong("watch: no watch has this number")),
    }
}
