//! A connection: the core's buffers, the transport that feeds and empties them, and the calls that wait.
//!
//! Input is taken when somebody waits for it ([`fill`]), by the task that waits. Output is written in the
//! background ([`pump`]). A reader and a writer share one connection; each may go first.

mod fill;
mod handover;
mod held;
mod linger;
mod memory;
mod pump;
mod upgrade;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Context;

use asyncio_streams_core::{Reader, Writer};

use crate::activity::Activity;
use crate::bindings::exports::asyncio::streams::types::{Address, Error};
use crate::driver::{self, KeepRunning};
use crate::signal::{Cancel, Waiters, WakerSlot};
use crate::transport::tcp::Tcp;
use crate::transport::tls::{Remains, Session, TlsInfo};
use crate::transport::{Incoming, Outgoing};

use memory::Weight;
use upgrade::Upgrade;

pub(crate) use held::{Held, Owner};
pub(crate) use linger::all as linger;

/// What options say about a connection.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// Bytes before a separator, and the measure of the reading marks.
    pub(crate) limit: usize,
    /// Bytes in one result.
    pub(crate) max_result: usize,
    /// Bytes that wait to be sent.
    pub(crate) max_queued: usize,
    /// Nanoseconds that a close may take to get rid of what is queued.
    pub(crate) close_deadline: Option<u64>,
}

/// One connection, or the reading half of one.
pub(crate) struct Connection {
    pub(crate) input: RefCell<Reader<Error>>,
    pub(crate) output: RefCell<Writer<Error>>,
    incoming: RefCell<Slot>,
    /// The outgoing bytes, unless the pump is writing.
    outgoing: RefCell<Option<Outgoing>>,
    /// A read or a wait is pending.
    reading: Cell<bool>,
    read_cancelled: Cell<bool>,
    /// The task that waits for input.
    reader: WakerSlot,
    reader_dropped: Cell<bool>,
    /// What protects the connection, if something does.
    session: RefCell<Option<Session>>,
    /// Something is about to protect it.
    upgrade: RefCell<Option<Upgrade>>,
    /// What is left of it after an upgrade that failed.
    remains: RefCell<Option<Remains>>,
    /// This side closed or aborted, so nobody may read on.
    closed: Cell<bool>,
    /// A `write-stream` is pending, or an upgrade.
    pub(crate) streaming: Cell<bool>,
    /// The task that writes, closes and discards.
    pump: WakerSlot,
    /// Those who wait for the output's marks, its flushing or its end.
    pub(crate) output_changed: Waiters,
    pub(crate) cancels: WriterCancels,
    pub(crate) peername: Option<Address>,
    pub(crate) sockname: Option<Address>,
    close_deadline: Option<u64>,
    weight: Weight,
    /// Keeps the background going for a reader without a pump: a read that is pending when it is dropped ends there.
    keep: RefCell<Option<KeepRunning>>,
    /// How often input has come.
    pieces: Cell<u32>,
    /// How much of the output had been taken when input came last.
    answered_to: Cell<u64>,
    /// Input is not discarded any more.
    settled: Cell<bool>,
    /// Bytes that were taken out of the buffer and are still here.
    aside: Cell<usize>,
    /// The rest of the input was given away, and what it was given away with is not gone.
    given: Cell<bool>,
    pub(crate) activity: Activity,
    /// What the connection counts against, until it is gone.
    held: Held,
}

/// The `cancel` of each of a writer's waits.
#[derive(Default)]
pub(crate) struct WriterCancels {
    pub(crate) drain: Cancel,
    pub(crate) flush: Cancel,
    pub(crate) wait_closed: Cancel,
    pub(crate) write_stream: Cancel,
}

/// Where the incoming bytes are.
enum Slot {
    Here(Incoming),
    /// With the task that reads, or given away.
    Lent,
    /// Ended or discarded.
    Gone,
}

impl Connection {
    /// A connection over a socket. `held` is what it counts against.
    pub(crate) fn tcp(tcp: Tcp, settings: Settings, held: Held) -> Result<Rc<Self>, Error> {
        let names = (Some(tcp.peername), Some(tcp.sockname));
        Self::new(
            (tcp.incoming, Some(tcp.outgoing)),
            names,
            settings,
            tcp.activity,
            held,
        )
        .inspect(|connection| *connection.session.borrow_mut() = tcp.session)
    }

    /// A connection over two streams.
    pub(crate) fn streams(
        incoming: Incoming,
        outgoing: Outgoing,
        settings: Settings,
        held: Held,
    ) -> Result<Rc<Self>, Error> {
        let streams = (incoming, Some(outgoing));
        Self::new(streams, (None, None), settings, Activity::default(), held)
    }

    /// The reading half alone. It counts until it is dropped. Only in async calls.
    pub(crate) fn input_only(
        incoming: Incoming,
        settings: Settings,
        held: Held,
    ) -> Result<Rc<Self>, Error> {
        let streams = (incoming, None);
        let activity = Activity::default();
        let connection = Self::new(streams, (None, None), settings, activity, held)?;
        *connection.keep.borrow_mut() = Some(KeepRunning::new());
        Ok(connection)
    }

    fn new(
        (incoming, outgoing): (Incoming, Option<Outgoing>),
        (peername, sockname): (Option<Address>, Option<Address>),
        settings: Settings,
        activity: Activity,
        held: Held,
    ) -> Result<Rc<Self>, Error> {
        let connection = Rc::new(Connection {
            input: RefCell::new(Reader::new(settings.limit, settings.max_result)?),
            output: RefCell::new(Writer::new(settings.max_queued)?),
            incoming: RefCell::new(Slot::Here(incoming)),
            outgoing: RefCell::new(outgoing),
            reading: Cell::new(false),
            read_cancelled: Cell::new(false),
            reader: WakerSlot::default(),
            reader_dropped: Cell::new(false),
            session: RefCell::default(),
            upgrade: RefCell::default(),
            remains: RefCell::default(),
            closed: Cell::new(false),
            streaming: Cell::new(false),
            pump: WakerSlot::default(),
            output_changed: Waiters::default(),
            cancels: WriterCancels::default(),
            peername,
            sockname,
            close_deadline: settings.close_deadline,
            weight: Weight::default(),
            keep: RefCell::default(),
            pieces: Cell::new(0),
            answered_to: Cell::new(0),
            settled: Cell::new(false),
            aside: Cell::new(0),
            given: Cell::new(false),
            activity,
            held,
        });
        if connection.outgoing.borrow().is_some() {
            driver::spawn(pump::run(connection.clone()));
        }
        Ok(connection)
    }

    /// Has what was queued, or a change of the writer's state, acted upon in the background.
    pub(crate) fn output_queued(&self) {
        self.pump.wake();
    }

    /// How many bytes more it may hold. Whoever changes what it holds says so by [`Connection::weigh`].
    pub(crate) fn room(&self) -> usize {
        self.weight.room()
    }

    /// Counts what the connection holds now.
    pub(crate) fn weigh(&self) {
        let unread = self.input.borrow().buffered();
        let queued = self.output.borrow().queued();
        let protected = self.session.borrow().as_ref().map_or(0, Session::held);
        let all = [unread, queued, protected, self.aside.get()];
        self.weight
            .set(all.into_iter().fold(0, usize::saturating_add));
    }

    /// Counts bytes that were taken out of the buffer and are still here, instead of those before.
    fn set_aside(&self, bytes: usize) {
        self.aside.set(bytes);
        self.weigh();
    }

    /// Closes: no more input is taken, what is queued goes out, then the end.
    pub(crate) fn close(&self) {
        self.output.borrow_mut().close();
        self.end_here();
    }

    /// Closes at once and drops what is queued.
    pub(crate) fn abort(&self) {
        self.output.borrow_mut().abort(Error::Closed);
        self.end_here();
    }

    /// Aborts it because no byte has moved for as long as the idle timeout.
    fn expire(&self) {
        self.output.borrow_mut().abort(Error::DeadlineExceeded);
        self.end_here();
    }

    /// This side has ended the connection. After a loss reads go on to say that.
    fn end_here(&self) {
        self.closed.set(true);
        let loss = match self.outcome() {
            Some(Err(loss)) => loss,
            Some(Ok(())) | None => Error::Closed,
        };
        self.end_input(loss);
        self.weigh();
        self.output_changed.wake();
        self.pump.wake();
    }

    /// The reader was dropped: what was buffered is discarded, and what still comes.
    pub(crate) fn drop_reader(&self) {
        self.reader_dropped.set(true);
        // Nothing else would before the connection's end, for which the writer may wait as long as it likes.
        self.input.borrow_mut().discard(usize::MAX);
        self.weigh();
        self.pump.wake();
    }

    /// What protects the connection, if something does.
    pub(crate) fn tls_info(&self) -> Option<TlsInfo> {
        self.session.borrow().as_ref().map(Session::info)
    }

    /// Whether the transport has something to say by itself; `cx`'s task is woken when it has.
    fn wants_to_speak(&self, cx: &Context<'_>) -> bool {
        let session = self.session.borrow();
        session
            .as_ref()
            .is_some_and(|session| session.wants_to_speak(cx))
    }

    /// Whether the output can end while input goes on.
    pub(crate) fn can_write_eof(&self) -> bool {
        let session = self.session.borrow();
        session.as_ref().is_none_or(Session::can_half_close)
    }

    /// How the connection ended, once it has.
    pub(crate) fn outcome(&self) -> Option<Result<(), Error>> {
        self.output.borrow().outcome()
    }

    /// The transport failed. What it has still got to read stays there for the reader.
    fn lost(&self, error: Error) {
        self.output.borrow_mut().lost(error);
        self.weigh();
        self.output_changed.wake();
        self.pump.wake();
    }

    /// Reads get what is buffered, then `error`.
    fn end_input(&self, error: Error) {
        self.input.borrow_mut().fail(error);
        self.reader.wake();
    }

    /// Nobody will read any more.
    fn input_unwanted(&self) -> bool {
        self.reader_dropped.get() || self.closed.get()
    }
}
