//! The outgoing side of a connection.

use std::cell::{Cell, RefCell};

use asyncio_streams_core::{Transmit, Writer};

use crate::notify::{BusyFlag, CancelCount, Notify};
use crate::options::Settings;
use crate::platform::Sink;
use crate::types::Error;

use super::Connection;

/// The outgoing side.
pub(crate) struct Output {
    pub(crate) queue: RefCell<Writer<Error>>,
    /// The sink, unless the transmitting task holds it or the output has ended.
    pub(super) sink: RefCell<Option<Box<dyn Sink>>>,
    /// Wakes the calls that wait for the marks, for flushing or for the end.
    pub(crate) changed: Notify,
    pub(crate) cancels: WriterCancels,
    /// A `write-stream` or a handshake is pending: other writes are refused.
    pub(crate) streaming: BusyFlag,
    pub(super) close_deadline: Option<u64>,
    /// The connection has no output: it is only a reading half.
    pub(super) absent: bool,
    /// The writer was dropped: no call can return how the output ended.
    pub(super) dropped: Cell<bool>,
}

/// One `cancel` for each wait of a writer. All these waits are woken by [`Output::changed`].
#[derive(Default)]
pub(crate) struct WriterCancels {
    pub(crate) drain: CancelCount,
    pub(crate) flush: CancelCount,
    pub(crate) wait_closed: CancelCount,
    pub(crate) write_stream: CancelCount,
}

impl Output {
    pub(super) fn new(sink: Option<Box<dyn Sink>>, settings: Settings) -> Result<Self, Error> {
        Ok(Output {
            queue: RefCell::new(Writer::new(settings.max_queued)?),
            absent: sink.is_none(),
            dropped: Cell::new(false),
            sink: RefCell::new(sink),
            changed: Notify::default(),
            cancels: WriterCancels::default(),
            streaming: BusyFlag::default(),
            close_deadline: settings.close_deadline,
        })
    }
}

impl Connection {
    /// Writes as much of the queue as the transport takes at once. Only in async calls and in the background.
    ///
    /// A call that is about to wait uses this: it saves a turn, and spares the peer a delay.
    pub(crate) fn flush_now(&self) {
        self.write_at_once();
        if self.output.queue.borrow().wants_transport() {
            self.mark_dirty();
        }
    }

    /// Like [`Connection::flush_now`], but leaves the rest to the caller.
    pub(super) fn write_at_once(&self) {
        if self.output.queue.borrow().queued() == 0 {
            return;
        }
        let Some(mut sink) = self.output.sink.take() else {
            return;
        };
        while !sink.has_rest() && self.output.queue.borrow().queued() > 0 {
            let next = self.output.queue.borrow_mut().next();
            let Transmit::Data(chunk) = next else {
                break;
            };
            self.sent(sink.start(chunk));
        }
        *self.output.sink.borrow_mut() = Some(sink);
    }

    /// Ends the output of a closed connection at once, if everything was taken and no call can return how the output
    /// ended.
    ///
    /// Otherwise a task waits for the confirmation.
    pub(super) fn end_at_once(&self) {
        let asked =
            !self.output.dropped.get() || self.given.get() || self.session.borrow().is_some();
        let mut queue = self.output.queue.borrow_mut();
        if asked || !queue.is_closing() || queue.queued() > 0 || self.upgrade.borrow().is_some() {
            return;
        }
        let sink = self.output.sink.take();
        if let Some(sink) = sink
            && queue.next() == Transmit::End
        {
            queue.ended();
            drop(queue);
            drop(sink);
            self.output.changed.wake();
        }
    }

    /// Records that the transport has taken `n` more bytes.
    pub(super) fn sent(&self, n: usize) {
        if n > 0 {
            self.activity.mark();
        }
        self.output.queue.borrow_mut().sent(n);
        self.weigh();
        self.output.changed.wake();
    }
}
