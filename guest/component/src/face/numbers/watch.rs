//! The `watch` resource, and its keys.

use std::rc::Rc;

use asyncio_streams_engine as engine;
use asyncio_streams_wasi03::{StandingSet, let_tasks_exit};

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
}

pub(super) fn add(watch: u64, of: u64, event: Event, key: u32) -> Result<(), Error> {
    let keys = find(watch)?;
    let place = keys.add(key, events::of(of, event)?);
    table::waits(of, &keys, place);
    Ok(())
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
