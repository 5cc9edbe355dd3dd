//! Waiting for one of many events: `wait-any`, and the `watch` resource.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Context, Poll};

use asyncio_streams_engine::ordered::OrderedMap;
use asyncio_streams_wasi02::{Ended, Timeout, block_on, next_round};

use crate::blocking;
use crate::types::Error;

use super::event::Event;
use super::stuck;

/// `watch`: the events with their keys.
pub(crate) struct Watch(RefCell<OrderedMap<(u32, Event)>>);

impl blocking::GuestWatch for Watch {
    fn new() -> Self {
        Watch(RefCell::default())
    }

    fn add(&self, what: blocking::Event<'_>, key: u32) -> Result<(), Error> {
        let event = Event::new(&what)?;
        self.0.borrow_mut().insert((key.into(), 0), (key, event));
        Ok(())
    }

    fn remove(&self, key: u32) -> bool {
        self.0.borrow_mut().remove((key.into(), 0)).is_some()
    }

    fn wait(&self, timeout: Option<u64>) -> Result<Vec<u32>, Error> {
        let mut events = self.0.borrow_mut();
        events.retain(|(_, event)| !event.is_gone());
        wait(events.values_mut().map(|(_, event)| event), timeout)?;
        Ok(happened(
            events.iter().map(|(_, (key, event))| (*key, event)),
        ))
    }
}

/// `wait-any`: returns the indices of the events that have happened.
pub(super) fn wait_any(mut events: Vec<Event>, timeout: Option<u64>) -> Result<Vec<u32>, Error> {
    wait(events.iter_mut(), timeout)?;
    Ok(happened((0..).zip(&events)))
}

/// Returns the keys of the events that have happened.
fn happened<'a>(events: impl Iterator<Item = (u32, &'a Event)>) -> Vec<u32> {
    let happened = events.filter(|(_, event)| event.has_happened());
    happened.map(|(key, _)| key).collect()
}

/// Waits until at least one of the events has happened, or the timeout has passed.
fn wait<'a>(
    events: impl Iterator<Item = &'a mut Event>,
    timeout: Option<u64>,
) -> Result<(), Error> {
    wait_for_one(&mut events.collect::<Vec<_>>(), timeout)
}

fn wait_for_one(events: &mut [&mut Event], timeout: Option<u64>) -> Result<(), Error> {
    if events.is_empty() && timeout.is_none() {
        return Err(Error::InvalidArgument(
            "events: there are none, and no timeout".into(),
        ));
    }
    for event in &mut *events {
        event.begin();
    }
    let ended = block_on(one_of(events), Timeout::new(timeout));
    for event in events {
        event.end();
    }
    match ended {
        Ok(waited) => waited,
        Err(Ended::Stuck) => Err(stuck()),
        Err(Ended::TimedOut) => Ok(()),
    }
}

async fn one_of(events: &mut [&mut Event]) -> Result<(), Error> {
    let mut first = true;
    poll_fn(|cx| {
        if poll(events, cx)? {
            return Poll::Ready(Ok::<_, Error>(()));
        }
        first = false;
        Poll::Pending
    })
    .await?;
    if first {
        // The host has not been asked yet: events that are there at once must not hide all others.
        next_round().await;
        poll_fn(|cx| Poll::Ready(poll(events, cx))).await?;
    }
    Ok(())
}

/// Polls the events that have not happened; returns whether one has.
///
/// It polls all of them. That costs less than a waker for each, and less than the host's `poll` of as many connections.
fn poll(events: &mut [&mut Event], cx: &mut Context<'_>) -> Result<bool, Error> {
    let mut happened = false;
    for event in events {
        event.poll(cx)?;
        happened |= event.has_happened();
    }
    Ok(happened)
}
