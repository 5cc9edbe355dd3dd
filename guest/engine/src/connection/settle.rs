//! Settles the connections that have changed, once a turn for all of them.
//!
//! A write, a close or a drop may happen in a sync call, where nothing can be sent. It adds its connection to the list.
//! One background future in each turn goes through the list: it does what is possible at once, and starts tasks for the
//! rest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::engine::Engine;
use crate::notify::WakerSlot;

use super::{Connection, discard, transmit};

/// The connections of an engine that have changed.
#[derive(Default)]
pub(crate) struct DirtyList {
    connections: RefCell<Vec<Rc<Connection>>>,
    scheduled: Cell<bool>,
    /// Nothing is to be scheduled: the caller sees to it.
    held: Cell<bool>,
}

/// The background work for one connection.
#[derive(Default)]
pub(super) struct Tasks {
    /// The connection is on the list.
    dirty: Cell<bool>,
    pub(super) transmitting: Cell<bool>,
    pub(super) transmitter: WakerSlot,
    pub(super) discarding: Cell<bool>,
    pub(super) discarder: WakerSlot,
    /// The output has ended, and its sink is gone.
    finished: Cell<bool>,
    /// Nothing is left of the connection but its buffers.
    done: Cell<bool>,
}

impl DirtyList {
    /// Runs `change` without scheduling anything for the connections that it changes.
    pub(crate) fn hold<T>(&self, change: impl FnOnce() -> T) -> T {
        self.held.set(true);
        let result = change();
        self.held.set(false);
        result
    }

    /// Schedules the settling of what is on the list.
    pub(crate) fn schedule(self: &Rc<Self>, engine: &Engine) {
        if self.held.get() || self.connections.borrow().is_empty() || self.scheduled.replace(true) {
            return;
        }
        let list = self.clone();
        engine.spawn(async move {
            list.scheduled.set(false);
            list.settle();
        });
    }

    /// Settles what is on the list and not scheduled. Only in async calls and in the background.
    pub(crate) fn settle_unscheduled(&self) {
        if !self.scheduled.get() {
            self.settle();
        }
    }

    fn settle(&self) {
        for connection in self.connections.take() {
            connection.tasks.dirty.set(false);
            connection.settle();
        }
    }
}

impl Connection {
    /// Puts the connection on the list, to be settled in the background.
    pub(crate) fn mark_dirty(&self) {
        if self.tasks.done.get() {
            return;
        }
        let list = self.engine.dirty();
        if !self.tasks.dirty.replace(true) {
            // The upgrade fails while the last handle is being dropped; then there is nothing left to do.
            let Some(this) = self.this.upgrade() else {
                return;
            };
            list.connections.borrow_mut().push(this);
        }
        list.schedule(&self.engine);
    }

    fn settle(self: &Rc<Self>) {
        self.settle_output();
        self.settle_input();
        self.settle_end();
    }

    fn settle_output(self: &Rc<Self>) {
        if self.tasks.finished.get() || self.output.absent {
            return;
        }
        if self.tasks.transmitting.get() {
            return self.tasks.transmitter.wake();
        }
        if self.outcome().is_none() {
            self.write_at_once();
            self.end_at_once();
        }
        let ended = self.outcome().is_some();
        if ended && !self.wants_control() {
            self.finish_output();
        } else if ended || self.wants_transmitting() {
            self.tasks.transmitting.set(true);
            self.engine.spawn(transmit::run(self.clone()));
        }
    }

    /// Returns whether the transmitting task runs.
    pub(super) fn is_transmitting(&self) -> bool {
        self.tasks.transmitting.get()
    }

    /// Returns whether there is something to send, or a handshake to do.
    pub(super) fn wants_transmitting(&self) -> bool {
        self.output.queue.borrow().wants_transport()
            || self.upgrade.borrow().is_some()
            || self.wants_control()
    }

    /// Returns whether the sink has control messages to send.
    fn wants_control(&self) -> bool {
        let sink = self.output.sink.borrow();
        sink.as_ref().is_some_and(|sink| sink.wants_control())
    }

    /// Drops the sink: the output has ended.
    pub(super) fn finish_output(&self) {
        if self.tasks.finished.replace(true) {
            return;
        }
        // Take the sink out of the cell first, because its drop may run other code.
        let sink = self.output.sink.take();
        drop(sink);
        self.forget_upgrade();
        self.registration.close();
    }

    fn settle_input(self: &Rc<Self>) {
        if !self.input_unwanted() {
            return;
        }
        if self.tasks.discarding.get() {
            if self.closed.get() {
                // The reader was dropped before the close: the silence counts from now on.
                self.engine.lingering().tick(&self.engine);
            }
            return self.tasks.discarder.wake();
        }
        if self.closed.get() && !self.input.is_gone() && !self.input.is_here() {
            // A handshake or `into-stream` has taken the source.
            return self.engine.lingering().tick(&self.engine);
        }
        if !self.input.is_here() {
            return;
        }
        // The future of a pending read may not be polled any more.
        self.input.leave_source();
        if self.output.absent || matches!(self.outcome(), Some(Err(_))) {
            return self.input.drop_source();
        }
        if discard::at_once(self) {
            return;
        }
        self.tasks.discarding.set(true);
        self.engine.spawn(discard::run(self.clone()));
    }

    /// Returns whether nothing is left of the connection but its buffers.
    pub(super) fn is_done(&self) -> bool {
        self.tasks.done.get()
    }

    /// Releases the quotas of the connection, once nothing of it is left.
    pub(super) fn settle_end(&self) {
        let working = self.tasks.transmitting.get() || self.tasks.discarding.get();
        let ended = self.tasks.finished.get() || self.output.absent;
        if working || !ended || !self.input.is_gone() || self.given.get() || self.tasks.done.get() {
            return;
        }
        self.tasks.done.set(true);
        self.end_lingering();
        self.registration.free();
        self.keep.take();
    }
}
