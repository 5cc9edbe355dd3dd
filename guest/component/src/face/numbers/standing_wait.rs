//! The `standing-wait` resource, and its keys.

use std::rc::Rc;

use asyncio_streams_engine as engine;
use asyncio_streams_engine::platform::BoxFuture;
use asyncio_streams_engine::types;
use asyncio_streams_wasi03::{StandingSet, let_tasks_exit};

use crate::numbers::{Event, GuestStandingWait};
use crate::types::Error;

use super::table::{self, Numbered, Target};

/// `standing-wait`. The keys are dropped before the set that their waits are in.
pub(crate) struct StandingWait {
    keys: Numbered<engine::StandingWait>,
    set: StandingSet,
}

impl GuestStandingWait for StandingWait {
    fn new() -> Self {
        StandingWait {
            keys: Numbered::new(engine::StandingWait::new(&crate::engine())),
            set: StandingSet::new(),
        }
    }

    fn number(&self) -> u64 {
        self.keys.number()
    }

    async fn wait(&self) -> Result<Vec<u64>, Error> {
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

/// Begins to wait for an event of the resource with this number.
pub(super) fn begin(
    of: u64,
    event: Event,
) -> Result<BoxFuture<'static, Result<(), types::Error>>, Error> {
    match table::target(of) {
        Some(target) => super::event(&target, event),
        None => Err(table::wrong("of: no resource has this number")),
    }
}

pub(super) fn add(to: u64, key: u64, of: u64, event: Event) -> Result<(), Error> {
    let keys = find(to, "to: no standing wait has this number")?;
    let event = begin(of, event)?;
    let place = keys.add(key, event);
    table::waits(of, &keys, place);
    Ok(())
}

pub(super) fn remove(from: u64, key: u64) -> Result<bool, Error> {
    let keys = find(from, "from: no standing wait has this number")?;
    match keys.remove(key) {
        None => Ok(false),
        Some(result) => Ok(result.map(|()| true)?),
    }
}

fn find(number: u64, otherwise: &str) -> Result<Rc<engine::StandingWait>, Error> {
    match table::target(number) {
        Some(Target::StandingWait(keys)) => Ok(keys),
        _ => Err(table::wrong(otherwise)),
    }
}
