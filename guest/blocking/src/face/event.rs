//! The `event` variant, without keeping what it names alive.

use std::rc::Weak;

use asyncio_streams_engine::types::Error as EngineError;
use asyncio_streams_engine::{self as engine, Wanted};

use crate::blocking;
use crate::types::Error;

use super::reader::Reader;
use super::requests::wanted;
use super::server::Server;
use super::writer::Writer;

/// `event`.
#[derive(Clone)]
pub(super) enum Event {
    Readable(Weak<engine::Reader>, Wanted),
    Drained(Weak<engine::Writer>),
    Flushed(Weak<engine::Writer>),
    Closed(Weak<engine::Writer>),
    Connection(Weak<engine::Server>),
}

impl Event {
    pub(super) fn new(event: &blocking::Event<'_>) -> Result<Self, Error> {
        let writer =
            |writer: &blocking::WriterBorrow<'_>| std::rc::Rc::downgrade(&writer.get::<Writer>().0);
        Ok(match event {
            blocking::Event::Readable((reader, want)) => {
                let reader = std::rc::Rc::downgrade(&reader.get::<Reader>().0);
                Event::Readable(reader, wanted(want.clone())?)
            }
            blocking::Event::Drained(of) => Event::Drained(writer(of)),
            blocking::Event::Flushed(of) => Event::Flushed(writer(of)),
            blocking::Event::Closed(of) => Event::Closed(writer(of)),
            blocking::Event::Connection(server) => {
                Event::Connection(std::rc::Rc::downgrade(&server.get::<Server>().0))
            }
        })
    }

    /// Returns whether what it names was dropped.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Event::Readable(reader, _) => reader.strong_count() == 0,
            Event::Drained(writer) | Event::Flushed(writer) | Event::Closed(writer) => {
                writer.strong_count() == 0
            }
            Event::Connection(server) => server.strong_count() == 0,
        }
    }

    /// Waits for it. An error is an answer too, but for `busy`.
    pub(super) async fn happen(&self) -> Result<(), EngineError> {
        match self {
            Event::Readable(reader, wanted) => match reader.upgrade() {
                Some(reader) => reader.wait(wanted).await,
                None => Ok(()),
            },
            Event::Drained(writer) => match writer.upgrade() {
                Some(writer) => writer.drain().await,
                None => Ok(()),
            },
            Event::Flushed(writer) => match writer.upgrade() {
                Some(writer) => writer.flush().await,
                None => Ok(()),
            },
            Event::Closed(writer) => match writer.upgrade() {
                Some(writer) => writer.wait_closed().await,
                None => Ok(()),
            },
            Event::Connection(server) => match server.upgrade() {
                Some(server) => server.wait_connection().await,
                None => Ok(()),
            },
        }
    }
}
