//! Waiting for one of many events: `wait-any`, and the `watch` resource.

use std::cell::RefCell;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use asyncio_streams_engine::ordered::OrderedMap;
use asyncio_streams_engine::types::Error as EngineError;
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
        let events = events.iter().map(|(_, (key, event))| (*key, event));
        wait(events.collect(), timeout)
    }
}

/// Waits until at least one of the events has happened; returns the keys of all that have, in ascending order.
pub(super) fn wait(events: Vec<(u32, &Event)>, timeout: Option<u64>) -> Result<Vec<u32>, Error> {
    let mut pending: Vec<_> = events
        .into_iter()
        .map(|(key, event)| (key, Box::pin(event.happen())))
        .collect();
    if pending.is_empty() && timeout.is_none() {
        return Err(Error::InvalidArgument(
            "events: there are none, and no timeout".into(),
        ));
    }
    let mut happened = Vec::new();
    let waiting = async {
        let mut first = true;
        poll_fn(|cx| {
            take(&mut pending, cx, &mut happened)?;
            if happened.is_empty() {
                first = false;
                return Poll::Pending;
            }
            Poll::Ready(Ok::<_, Error>(()))
        })
        .await?;
        if first {
            // The host has not been asked yet: events that are there at once must not hide all others.
            next_round().await;
            poll_fn(|cx| Poll::Ready(take(&mut pending, cx, &mut happened))).await?;
        }
        Ok(())
    };
    match block_on(waiting, Timeout::new(timeout)) {
        Ok(Err(error)) => return Err(error),
        Err(Ended::Stuck) => return Err(stuck()),
        Ok(Ok(())) | Err(Ended::TimedOut) => {}
    }
    // It is smaller than the sort of the standard library.
    Ok(BinaryHeap::from(happened).into_sorted_vec())
}

/// Takes the keys of the events that have happened by now.
///
/// It polls all that have not. That costs less than a waker for each, and less than the host's `poll` of as many connections.
fn take<F: Future<Output = Result<(), EngineError>>>(
    pending: &mut Vec<(u32, Pin<Box<F>>)>,
    cx: &mut Context<'_>,
    happened: &mut Vec<u32>,
) -> Result<(), Error> {
    let mut busy = false;
    pending.retain_mut(|(key, event)| match event.as_mut().poll(cx) {
        Poll::Pending => true,
        Poll::Ready(Err(EngineError::Busy)) => {
            busy = true;
            false
        }
        // The call that it is for reports an error.
        Poll::Ready(Ok(()) | Err(_)) => {
            happened.push(*key);
            false
        }
    });
    if busy { Err(Error::Busy) } else { Ok(()) }
}
