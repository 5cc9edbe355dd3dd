//! The engine: a platform, and the state that all its connections share.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use crate::connection::{Connection, DirtyList, LingerList, Registration};
use crate::net::{connect, listen};
use crate::notify::CancelScope;
use crate::options::{ConnectOptions, ServerOptions, Settings};
use crate::platform::{BoxFuture, Platform, Sink, SocketName, Source, TcpSocket};
use crate::protection::Failed;
use crate::quota::memory::MemoryQuota;
use crate::quota::{HandlePermit, HandleQuota, Limits};
use crate::read_buffers::ReadBuffers;
use crate::reader::Reader;
use crate::select::{Either, select};
use crate::server::{self, Listening, Server};
use crate::transport::{Incoming, Transport};
use crate::types::Error;
use crate::writer::Writer;

/// Opens connections and servers over one [`Platform`].
///
/// A clone is the same engine. All connections of an engine share its quotas and its read buffers.
#[derive(Clone)]
pub struct Engine(Rc<State>);

struct State {
    platform: Box<dyn Platform>,
    handles: Rc<HandleQuota>,
    memory: Rc<MemoryQuota>,
    buffers: ReadBuffers,
    dirty: Rc<DirtyList>,
    lingering: Rc<LingerList>,
}

/// A reference that does not keep the engine alive.
#[derive(Clone, Default)]
pub(crate) struct WeakEngine(Weak<State>);

impl WeakEngine {
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

impl Engine {
    /// Creates an engine with the default limits.
    pub fn new(platform: impl Platform + 'static) -> Self {
        Self::with_limits(platform, Limits::default())
    }

    /// Creates an engine whose connections together take at most `limits`.
    pub fn with_limits(platform: impl Platform + 'static, limits: Limits) -> Self {
        Engine(Rc::new_cyclic(|state| State {
            platform: Box::new(platform),
            handles: HandleQuota::new(limits.handles, WeakEngine(state.clone())),
            memory: MemoryQuota::new(limits.memory),
            buffers: ReadBuffers::default(),
            dirty: Rc::default(),
            lingering: Rc::default(),
        }))
    }

    /// Connects to a host by TCP, with TLS if the options contain it.
    ///
    /// The options' `cancel` and deadline end the call. Dropping the call closes everything that it had opened.
    ///
    /// # Errors
    ///
    /// As `open-connection` (wit/streams.wit).
    pub fn open_connection(
        &self,
        host: &str,
        port: u16,
        options: ConnectOptions,
    ) -> impl Future<Output = Result<(Reader, Writer), Error>> {
        // The call begins now: a cancel before its first poll ends it.
        let begun = options.cancel.begun();
        async move {
            let scope = options.cancel.scope(begun);
            if port == 0 {
                return Err(Error::InvalidArgument(
                    "port: 0 cannot be connected to".into(),
                ));
            }
            let _keep = KeepRunning::new(self);
            let permit = self.handles().opened()?;
            let protector = match &options.tls {
                Some(client) => Some(client.clone().for_host(host)?),
                None => None,
            };
            let connecting = async {
                let (socket, remote) = connect::connect(self, host, port, &options.route).await?;
                Transport::connected(self, socket, SocketName::Inet(remote))?
                    .protect(self, protector)
                    .await
            };
            self.client(connecting, &options, &scope, permit).await
        }
    }

    /// Creates a connection from a connected socket.
    ///
    /// # Errors
    ///
    /// As `from-socket` (wit/sockets.wit).
    pub fn from_socket(
        &self,
        socket: Box<dyn TcpSocket>,
        options: ConnectOptions,
    ) -> impl Future<Output = Result<(Reader, Writer), Error>> {
        // The call begins now: a cancel before its first poll ends it.
        let begun = options.cancel.begun();
        async move {
            let scope = options.cancel.scope(begun);
            let _keep = KeepRunning::new(self);
            let permit = self.handles().opened()?;
            options.route.keep_alive(&*socket)?;
            let protector = options.named_protector()?;
            let protecting = Transport::unknown(self, socket)?.protect(self, protector);
            self.client(protecting, &options, &scope, permit).await
        }
    }

    /// Returns a reader over a stream that the caller provides. Only in async calls.
    ///
    /// # Errors
    ///
    /// As `from-stream` (wit/streams.wit).
    pub fn from_stream(&self, stream: Box<dyn Source>, limit: u32) -> Result<Reader, Error> {
        let settings = Settings {
            limit: crate::reader::size(limit),
            ..Settings::default()
        };
        let registration = Registration::client(self.handles().reader()?);
        let incoming = Incoming::new(stream, self.buffers());
        let connection = Connection::input_only(self, incoming, settings, registration)?;
        Ok(Reader::new(connection))
    }

    /// Returns a reader and a writer over two streams that the caller provides. Only in async calls.
    ///
    /// # Errors
    ///
    /// As `wrap` (wit/streams.wit).
    pub fn wrap(
        &self,
        streams: impl FnOnce() -> (Box<dyn Source>, Box<dyn Sink>),
        options: ConnectOptions,
    ) -> Result<(Reader, Writer), Error> {
        if options.tls.is_some() {
            return Err(Error::NotSupported(
                "wrap: TLS begins with start-tls".into(),
            ));
        }
        self.platform().start();
        let registration = Registration::client(self.handles().opened()?);
        let (source, sink) = streams();
        let transport = Transport::streams(Incoming::new(source, self.buffers()), sink);
        self.connection(transport, options.settings, registration)
    }

    /// Binds addresses and serves there.
    ///
    /// # Errors
    ///
    /// As `start-server` (wit/streams.wit).
    pub fn start_server(
        &self,
        hosts: &[String],
        port: u16,
        options: ServerOptions,
    ) -> impl Future<Output = Result<Server, Error>> {
        // The call begins now: a cancel before its first poll ends it.
        let begun = options.cancel.begun();
        async move {
            let scope = options.cancel.scope(begun);
            let sockets = {
                let binding = pin!(async {
                    // The operating system may still hold the address for a server that was closed just before.
                    if self.platform().cancelled_may_hold_addresses() {
                        self.cancelled_operations().await;
                    }
                    listen::bind_all(self, hosts, port, options.family).await
                });
                // The cancel comes first: what has become ready meanwhile is closed.
                match select(pin!(scope.cancelled()), binding).await {
                    Either::Left(cancelled) => return Err(cancelled),
                    Either::Right(sockets) => sockets?,
                }
            };
            server::serve(self, sockets, &options)
        }
    }

    /// Serves on a bound socket. Only in async calls.
    ///
    /// # Errors
    ///
    /// As `from-listener` (wit/sockets.wit).
    pub fn from_listener(
        &self,
        socket: Box<dyn TcpSocket>,
        options: &ServerOptions,
    ) -> Result<Server, Error> {
        server::serve(self, vec![Listening::from_bound(socket)?], options)
    }

    /// Waits until all connections that this side has closed by now have stopped discarding input, at most 35 s.
    /// Dropping the call has no effect.
    pub async fn linger(&self) {
        self.lingering().all(self).await;
    }

    pub(crate) fn connection(
        &self,
        transport: Transport,
        settings: Settings,
        registration: Registration,
    ) -> Result<(Reader, Writer), Error> {
        let connection = Connection::new(self, transport, settings, registration)?;
        Ok((Reader::new(connection.clone()), Writer::new(connection)))
    }

    /// Creates the connection of a client over the transport that `connecting` returns, unless the scope is cancelled
    /// or the deadline passes before.
    pub(crate) async fn client(
        &self,
        connecting: impl Future<Output = Result<Transport, Failed>>,
        options: &ConnectOptions,
        scope: &CancelScope<'_>,
        permit: HandlePermit,
    ) -> Result<(Reader, Writer), Error> {
        let ended = async {
            let cancelled = scope.cancelled();
            let Some(nanoseconds) = options.deadline else {
                return cancelled.await;
            };
            match select(pin!(cancelled), self.sleep(nanoseconds)).await {
                Either::Left(cancelled) => cancelled,
                Either::Right(()) => Error::DeadlineExceeded,
            }
        };
        // The cancel and the deadline come first: what has become ready meanwhile is closed.
        let connected = match select(pin!(ended), pin!(connecting)).await {
            Either::Left(error) => Err(error.into()),
            Either::Right(connected) => connected,
        };
        match connected {
            Ok(transport) => {
                self.connection(transport, options.settings, Registration::client(permit))
            }
            Err(failed) => Err(failed.linger(self, permit)),
        }
    }
}

/// Access for the other modules of the engine.
impl Engine {
    pub(crate) fn platform(&self) -> &dyn Platform {
        &*self.0.platform
    }

    pub(crate) fn handles(&self) -> &Rc<HandleQuota> {
        &self.0.handles
    }

    pub(crate) fn memory(&self) -> &Rc<MemoryQuota> {
        &self.0.memory
    }

    pub(crate) fn buffers(&self) -> &ReadBuffers {
        &self.0.buffers
    }

    pub(crate) fn dirty(&self) -> &Rc<DirtyList> {
        &self.0.dirty
    }

    pub(crate) fn lingering(&self) -> &Rc<LingerList> {
        &self.0.lingering
    }

    /// Returns the time in nanoseconds.
    pub(crate) fn now(&self) -> u64 {
        self.platform().now()
    }

    /// Waits for `nanoseconds`, counted from now.
    pub(crate) fn sleep(&self, nanoseconds: u64) -> BoxFuture<'static, ()> {
        let moment = self.now().saturating_add(nanoseconds);
        self.platform().sleep_until(moment)
    }

    /// Runs `future` in the background.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        self.platform().spawn(Box::pin(future));
    }

    /// Runs a change of connections, such as a write, which is settled by [`Engine::settle_now`] or [`Engine::kick`].
    ///
    /// It wakes no task of the background, which would take a call of the host.
    pub fn unsettled<T>(&self, change: impl FnOnce() -> T) -> T {
        self.dirty().hold(change)
    }

    /// Settles all connections that have changed: sends what was written, as far as the transport takes it at once. Does nothing
    /// where that is scheduled. Only in async calls and in the background.
    pub fn settle_now(&self) {
        self.dirty().settle_unscheduled();
    }

    /// Settles all connections that have changed: at once as a part of the background where the platform can do this, else later in
    /// the background.
    pub fn kick(&self) {
        self.kick_and(|| ());
    }

    /// Settles them, and runs `then` as a part of the background; returns false if that cannot be done now.
    pub(crate) fn kick_and(&self, then: impl Fn()) -> bool {
        let done = self.platform().as_background(&mut || {
            self.dirty().settle_unscheduled();
            then();
        });
        if !done {
            self.dirty().schedule(self);
        }
        done
    }

    /// Returns how many handles the connections of this engine take.
    pub fn handles_in_use(&self) -> u32 {
        self.handles().used()
    }

    /// Returns how many bytes the connections of this engine hold, unread and unsent.
    pub fn bytes_held(&self) -> usize {
        self.memory().held()
    }

    /// Waits for the next turn of the running task. The platform first runs everything else that is ready.
    pub(crate) fn next_turn(&self) -> impl Future<Output = ()> {
        let this = self.platform().turn();
        poll_fn(move |cx| {
            if self.platform().turn() != this {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Waits until all operations that were cancelled before have ended.
    async fn cancelled_operations(&self) {
        let ended = Rc::new(crate::notify::Flag::default());
        let end = ended.clone();
        self.platform().after_cancelled(Box::new(move || end.set()));
        ended.wait().await;
    }
}

/// Keeps the background running until it is dropped. Created in async calls only.
pub(crate) struct KeepRunning(Engine);

impl KeepRunning {
    pub(crate) fn new(engine: &Engine) -> Self {
        engine.platform().keep();
        KeepRunning(engine.clone())
    }
}

impl Drop for KeepRunning {
    fn drop(&mut self) {
        self.0.platform().release();
    }
}

/// A coop budget: how many items a loop handles before it lets other tasks run. Without it a fast peer, whose bytes are
/// always ready, would stop the others.
pub(crate) struct Coop {
    budget: u32,
    /// 0 once the budget was used up.
    left: u32,
    /// The turn in which that was.
    spent_in: u64,
}

impl Coop {
    /// Creates a budget of at least one item.
    pub(crate) const fn new(budget: u32) -> Self {
        Coop {
            budget,
            left: budget,
            spent_in: 0,
        }
    }

    /// Spends one unit. Waits for the next turn when none is left.
    pub(crate) async fn spend(&mut self, engine: &Engine) {
        poll_fn(|cx| self.poll_spend(engine, cx)).await;
    }

    /// Like [`Coop::spend`], as a poll.
    pub(crate) fn poll_spend(&mut self, engine: &Engine, cx: &Context<'_>) -> Poll<()> {
        if self.left > 0 {
            self.left = self.left.saturating_sub(1);
            if self.left > 0 {
                return Poll::Ready(());
            }
            self.spent_in = engine.platform().turn();
        } else if engine.platform().turn() != self.spent_in {
            self.left = self.budget;
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
