//! The events that a call waits for.

use asyncio_streams_engine as engine;

use super::super::requests;
use super::table::{self, Target};
use crate::numbers::Event;
use crate::types::Error;

/// Returns an event of the resource with this number.
pub(super) fn of(number: u64, event: Event) -> Result<engine::Event, Error> {
    let Some(target) = table::target(number) else {
        return Err(table::wrong("of: no resource has this number"));
    };
    match (target, event) {
        (Target::Reader(reader), Event::Readable(wanted)) => {
            Ok(reader.readable(requests::wanted(wanted)?))
        }
        (Target::Server(server), Event::Connection) => Ok(server.connection()),
        (Target::Writer(writer), Event::Drained) => Ok(writer.drained()),
        (Target::Writer(writer), Event::Flushed) => Ok(writer.flushed()),
        (Target::Writer(writer), Event::Closed) => Ok(writer.closed()),
        _ => Err(table::wrong("event: this resource has no such event")),
    }
}
