//! A connection: the core's buffers, the transport that fills and empties them, and the calls that wait.
//!
//! A connection has no permanent task. The call that waits for input takes it from the transport ([`receive`]). Output
//! is written by a call that is about to wait, or once a turn for all connections that have some ([`settle`]). Only two
//! kinds of work need a task: output that the transport does not take at once ([`transmit`]), and unwanted input
//! ([`discard`]).

mod discard;
mod input;
mod into_stream;
mod linger;
mod output;
mod receive;
mod registration;
mod settle;
mod transmit;
#[cfg(not(feature = "tls"))]
#[path = "no_upgrade.rs"]
mod upgrade;
#[cfg(feature = "tls")]
mod upgrade;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use crate::engine::{Engine, KeepRunning};
use crate::idle::Activity;
use crate::options::Settings;
use crate::protection::Remains;
use crate::quota::memory::MemoryPermit;
use crate::transport::{Incoming, Names, Session, Transport};
use crate::types::{Error, TlsInfo};

use input::Input;
use linger::Linger;
use settle::Tasks;
use upgrade::Upgrade;

pub use into_stream::{Given, InputRest};
pub(crate) use linger::LingerList;
pub(crate) use output::Output;
pub(crate) use registration::{Owner, Registration};
pub(crate) use settle::DirtyList;

/// One connection, or the reading half of one.
pub(crate) struct Connection {
    pub(crate) engine: Engine,
    this: Weak<Connection>,
    pub(crate) input: Input,
    pub(crate) output: Output,
    /// The TLS session, if the connection is protected.
    session: RefCell<Option<Rc<dyn Session>>>,
    /// A handshake that was requested for this connection.
    upgrade: RefCell<Option<Box<Upgrade>>>,
    /// The parts of the connection that remain after a failed handshake.
    remains: Cell<Option<Box<Remains>>>,
    /// This side has closed or aborted the connection.
    closed: Cell<bool>,
    /// `into-stream` has taken the rest of the input, and the stream or its outcome still exists.
    given: Cell<bool>,
    pub(crate) names: Names,
    activity: Activity,
    memory: MemoryPermit,
    linger: Linger,
    tasks: Tasks,
    registration: Registration,
    /// Keeps the background running until nothing of the connection is left.
    keep: Cell<Option<KeepRunning>>,
}

impl Connection {
    /// Creates a connection over a transport. Only in async calls.
    ///
    /// # Errors
    ///
    /// Those of the settings.
    pub(crate) fn new(
        engine: &Engine,
        transport: Transport,
        settings: Settings,
        registration: Registration,
    ) -> Result<Rc<Self>, Error> {
        let Transport {
            incoming,
            outgoing,
            session,
            names,
            activity,
        } = transport;
        let input = Input::new(incoming, settings.limit, settings.max_result)?;
        let output = Output::new(Some(outgoing), settings)?;
        let connection = Self::of(engine, input, output, names, activity, registration);
        if let Some(session) = session {
            connection.set_session(session);
        }
        connection.activity.expires(&connection);
        Ok(connection)
    }

    /// Creates only the reading half of a connection. It counts until it is dropped. Only in async calls.
    ///
    /// # Errors
    ///
    /// Those of the settings.
    pub(crate) fn input_only(
        engine: &Engine,
        incoming: Incoming,
        settings: Settings,
        registration: Registration,
    ) -> Result<Rc<Self>, Error> {
        let input = Input::new(incoming, settings.limit, settings.max_result)?;
        let output = Output::new(None, settings)?;
        let activity = Activity::default();
        let names = Names::default();
        Ok(Self::of(
            engine,
            input,
            output,
            names,
            activity,
            registration,
        ))
    }

    fn of(
        engine: &Engine,
        input: Input,
        output: Output,
        names: Names,
        activity: Activity,
        registration: Registration,
    ) -> Rc<Self> {
        Rc::new_cyclic(|this| Connection {
            this: this.clone(),
            input,
            output,
            session: RefCell::default(),
            upgrade: RefCell::default(),
            remains: Cell::default(),
            closed: Cell::new(false),
            given: Cell::new(false),
            names,
            activity,
            memory: engine.memory().permit(),
            linger: Linger::default(),
            tasks: Tasks::default(),
            registration,
            keep: Cell::new(Some(KeepRunning::new(engine))),
            engine: engine.clone(),
        })
    }

    /// Returns how many more bytes the connection may hold. Code that changes this calls
    /// [`Connection::weigh`].
    pub(crate) fn room(&self) -> usize {
        self.memory.room()
    }

    /// Updates the memory quota with the bytes that the connection holds now.
    pub(crate) fn weigh(&self) {
        let unread = self.input.buffer.borrow().buffered();
        let queued = self.output.queue.borrow().queued();
        let protected = self
            .session
            .borrow()
            .as_ref()
            .map_or(0, |session| session.held());
        let here = unread.saturating_add(queued);
        let elsewhere = protected.saturating_add(self.input.aside.get());
        self.memory.set(here.saturating_add(elsewhere));
    }

    /// Sets how many bytes were taken out of the buffer and are still in memory. Replaces the earlier number.
    fn set_aside(&self, bytes: usize) {
        self.input.aside.set(bytes);
        self.weigh();
    }

    /// Closes the connection: takes no more input, sends the queue, then the end.
    pub(crate) fn close(&self) {
        self.output.queue.borrow_mut().close();
        self.end_here();
    }

    /// Closes the connection at once and drops the queue.
    pub(crate) fn abort(&self) {
        self.output.queue.borrow_mut().abort(Error::Closed);
        self.end_here();
    }

    /// Aborts the connection because a time has passed: the idle timeout or the handshake's.
    pub(crate) fn expire(&self) {
        self.output
            .queue
            .borrow_mut()
            .abort(Error::DeadlineExceeded);
        self.end_here();
    }

    /// Records that this side has ended the connection. After a loss, reads continue to return the loss.
    fn end_here(&self) {
        self.closed.set(true);
        let loss = match self.outcome() {
            Some(Err(loss)) => loss,
            Some(Ok(())) | None => Error::Closed,
        };
        self.end_input(loss);
        self.weigh();
        self.begin_lingering();
        self.output.changed.wake();
        self.mark_dirty();
    }

    /// Records that the reader was dropped. Discards buffered and future input.
    pub(crate) fn drop_reader(&self) {
        self.input.dropped.set(true);
        // Discard now: the writer may keep the connection open indefinitely.
        self.input.buffer.borrow_mut().discard(usize::MAX);
        self.weigh();
        if self.output.absent {
            // The connection has no writer whose end could be awaited.
            self.input.drop_source();
            self.settle_end();
        }
        self.mark_dirty();
    }

    /// Records that the writer was dropped, and closes the connection.
    pub(crate) fn drop_writer(&self) {
        self.output.dropped.set(true);
        self.close();
    }

    /// Returns the result of the TLS handshake, if the connection is protected.
    pub(crate) fn tls_info(&self) -> Option<TlsInfo> {
        self.session.borrow().as_ref().map(|session| session.info())
    }

    /// Returns whether the output can end while input continues.
    pub(crate) fn can_write_eof(&self) -> bool {
        let session = self.session.borrow();
        session
            .as_ref()
            .is_none_or(|session| session.can_half_close())
    }

    /// Returns how the connection ended; `None` until then.
    pub(crate) fn outcome(&self) -> Option<Result<(), Error>> {
        self.output.queue.borrow().outcome()
    }

    /// Stores the session that protects the connection from now on.
    fn set_session(&self, session: Rc<dyn Session>) {
        let this = self.this.clone();
        session.on_control(Box::new(move || {
            if let Some(connection) = this.upgrade() {
                connection.mark_dirty();
            }
        }));
        *self.session.borrow_mut() = Some(session);
    }

    /// Records that the transport has failed. Buffered bytes stay readable.
    fn lost(&self, error: Error) {
        self.output.queue.borrow_mut().lost(error);
        self.weigh();
        self.output.changed.wake();
        self.mark_dirty();
    }

    /// Ends the input: reads return the buffered bytes, then `error`.
    fn end_input(&self, error: Error) {
        self.input.buffer.borrow_mut().fail(error);
        self.input.waiting.wake();
    }

    /// Returns whether no call will read input any more.
    fn input_unwanted(&self) -> bool {
        self.input.dropped.get() || self.closed.get()
    }
}
