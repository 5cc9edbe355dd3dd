//! The `event` variant, without keeping what it names open.

use std::any::Any;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use asyncio_streams_engine as engine;
use asyncio_streams_engine::types::Error as EngineError;

use crate::blocking;
use crate::types::Error;

use super::reader::Reader;
use super::requests::wanted;
use super::server::Server;
use super::writer::Writer;

/// `event`, and whether it happened in the last wait.
pub(super) struct Event {
    of: Weak<dyn Any>,
    wait: engine::Event,
    happened: bool,
}

impl Event {
    pub(super) fn new(event: &blocking::Event<'_>) -> Result<Self, Error> {
        Ok(match event {
            blocking::Event::Readable((reader, want)) => {
                let reader = &reader.get::<Reader>().0;
                Self::of(reader, reader.readable(wanted(want.clone())?))
            }
            blocking::Event::Drained(writer) => {
                let writer = &writer.get::<Writer>().0;
                Self::of(writer, writer.drained())
            }
            blocking::Event::Flushed(writer) => {
                let writer = &writer.get::<Writer>().0;
                Self::of(writer, writer.flushed())
            }
            blocking::Event::Closed(writer) => {
                let writer = &writer.get::<Writer>().0;
                Self::of(writer, writer.closed())
            }
            blocking::Event::Connection(server) => {
                let server = &server.get::<Server>().0;
                Self::of(server, server.connection())
            }
        })
    }

    fn of<T: 'static>(resource: &Rc<T>, wait: engine::Event) -> Self {
        let of: Weak<T> = Rc::downgrade(resource);
        Event {
            of,
            wait,
            happened: false,
        }
    }

    /// Returns whether what it names was dropped.
    pub(super) fn is_gone(&self) -> bool {
        self.of.strong_count() == 0
    }

    pub(super) fn has_happened(&self) -> bool {
        self.happened
    }

    /// Begins to wait for it.
    pub(super) fn begin(&mut self) {
        self.happened = false;
        self.wait.begin();
    }

    /// Polls whether it has happened. An error is an answer too, since the call that it is for reports it.
    ///
    /// # Errors
    ///
    /// `busy`: another wait is for the same reader or server.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if self.happened {
            return Ok(());
        }
        match self.wait.poll(cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Err(EngineError::Busy)) => return Err(Error::Busy),
            Poll::Ready(Ok(()) | Err(_)) => self.happened = true,
        }
        Ok(())
    }

    /// Ends the wait for it.
    pub(super) fn end(&mut self) {
        self.wait.end();
    }
}
