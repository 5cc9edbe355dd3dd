//! The traits that the engine needs from a platform: sockets, byte streams, a clock, and an executor for background
//! futures.
//!
//! # Contract
//!
//! The component model requires most of it. Every implementation follows it, so that the engine behaves the same on
//! all.
//!
//! - Everything runs on one thread. No method blocks.
//! - A pending operation outlives the future that waits for it. When the engine stops waiting, it calls `leave`, which
//!   must not cancel: the next poll continues the operation, and its bytes are not lost.
//! - Only dropping the [`Source`], [`Sink`], [`Listener`] or connecting future ends its pending operation. The engine
//!   drops them anywhere, even in destructors, where no operation can be cancelled at once. So the platform cancels in
//!   the background, and [`Executor::after_cancelled`] reports when that is done.
//! - Polls happen only in async calls and in background futures, never in sync calls or destructors. A sync call that has to poll
//!   does so as a part of the background ([`Executor::as_background`]).

use std::any::Any;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::errors::{LookupError, SocketError};
use crate::read_buffers::Room;
use crate::types::{Credentials, Error, KeepAlive};

/// A future on the heap, for this thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Everything that an [`Engine`](crate::Engine) runs on.
pub trait Platform: Net + Clock + Executor {}

impl<T: Net + Clock + Executor> Platform for T {}

/// The network.
pub trait Net {
    /// Looks up the addresses of an ASCII name, in the name service's order of preference.
    fn resolve(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, LookupError>>;

    /// Creates a TCP socket of the family of `address`.
    ///
    /// # Errors
    ///
    /// The system's error.
    fn tcp_socket(&self, address: &SocketAddr) -> Result<Box<dyn TcpSocket>, SocketError>;
}

/// The name of one end of a connection, or of a listening socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketName {
    /// The address of a TCP socket.
    Inet(SocketAddr),
    /// The path of a Unix socket, or its abstract name after a zero byte, as text for callers. It is empty if the socket
    /// has none.
    Unix(String),
}

/// A connected socket with streams that were not taken yet. The engine does not know more about a connection.
pub trait StreamSocket {
    /// Returns the name of this end. A socket that stands for a failed accept has none.
    ///
    /// # Errors
    ///
    /// The system's error, as in all methods.
    fn local_name(&self) -> Result<SocketName, SocketError>;

    /// Returns the name of the other end. A connection that the peer has reset has none.
    ///
    /// # Errors
    ///
    /// The system's error.
    fn remote_name(&self) -> Result<SocketName, SocketError>;

    /// Returns the process at the other end, if the system knows it.
    fn peer_credentials(&self) -> Option<Credentials> {
        None
    }

    /// Takes the incoming bytes, once.
    fn receive(&self) -> Box<dyn Source>;

    /// Takes the outgoing bytes, and drops the socket: the streams keep the connection.
    fn send(self: Box<Self>) -> Box<dyn Sink>;
}

/// A bound socket that listens or is about to.
pub trait BoundSocket {
    /// Sets the keep-alive options. Connections that a listener accepts inherit them. Only TCP has them.
    ///
    /// # Errors
    ///
    /// The system's error, as in all methods.
    fn set_keep_alive(&self, options: &KeepAlive) -> Result<(), SocketError>;

    /// Listens; the system queues up to `backlog` connections that were not accepted yet.
    ///
    /// # Errors
    ///
    /// The system's error.
    fn listen(&self, backlog: u32) -> Result<Box<dyn Listener>, SocketError>;

    /// Frees the socket's name at once, even if a listener still waits. Other sockets free it when they are dropped.
    fn close(&self) {}
}

/// A TCP socket that is either unused, or connected with streams that were not taken yet.
pub trait TcpSocket: StreamSocket + BoundSocket {
    /// Binds the socket to a local address.
    ///
    /// # Errors
    ///
    /// The system's error, as in all methods.
    fn bind(&self, local: SocketAddr) -> Result<(), SocketError>;

    /// Returns this side's address. A socket that stands for a failed accept has none.
    fn local_address(&self) -> Result<SocketAddr, SocketError>;

    /// Returns the peer's address. A connection that the peer has reset has none.
    fn remote_address(&self) -> Result<SocketAddr, SocketError>;

    /// Connects. Dropping the future closes the socket.
    fn connect(
        self: Box<Self>,
        remote: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn TcpSocket>, SocketError>>;
}

/// A listening socket. Dropping it closes it.
pub trait Listener {
    /// Polls for a connection. One that arrives without a poll is kept.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn StreamSocket>>;

    /// Stops waiting; the operation stays pending.
    fn leave(&mut self);
}

/// A stream of incoming bytes.
pub trait Source {
    /// Polls for at least one byte; `None` at the end, every time. A pending read keeps its buffer from `room`, and the
    /// permit.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &Room<'_>) -> Poll<Option<Vec<u8>>>;

    /// Returns whether the last read filled its buffer, so that there is probably more input. `bytes` are its result.
    fn filled(&self, bytes: &Vec<u8>) -> bool {
        bytes.len() >= bytes.capacity()
    }

    /// Stops waiting; the read stays pending.
    fn leave(&mut self);

    /// Polls for the outcome of the stream. Called only after the end, perhaps repeatedly.
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;

    /// Polls for the outcome for a caller that did not want the bytes: missing bytes are no error then.
    fn poll_outcome_unread(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_outcome(cx)
    }

    /// Polls until there seems to be input, without taking it; false at the end. A platform that cannot detect input
    /// returns true.
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<bool> {
        Poll::Ready(true)
    }

    /// Returns the platform's own handle of the stream, for a face that knows its platform. There is none once the stream
    /// has ended, nor on a platform that has no use for it.
    fn handle(&self) -> Option<Rc<dyn Any>> {
        None
    }

    /// Ends a pending read, and returns its bytes. Only in async calls.
    fn stop(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Drops the stream. `then` receives the bytes of a pending read, now or later in the background.
    fn stop_then(self: Box<Self>, then: Box<dyn FnOnce(Vec<u8>)>) {
        drop(then);
    }
}

/// A stream of outgoing bytes. It owns the bytes of one write until they are taken.
pub trait Sink {
    /// Starts to write `bytes`, and returns how many were taken at once. The previous write must have ended. Only in
    /// async calls.
    fn start(&mut self, bytes: Vec<u8>) -> usize;

    /// Returns whether bytes of the last write were not taken yet.
    fn has_rest(&self) -> bool;

    /// Polls until the next part of the last write is taken, and returns its length; 0 if nothing is left.
    ///
    /// # Errors
    ///
    /// The reason why the stream takes no more bytes.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>>;

    /// Stops waiting; the write stays pending.
    fn leave(&mut self);

    /// Ends the stream, for TCP with a FIN, and polls for the confirmation that every byte was taken.
    ///
    /// # Errors
    ///
    /// The reason why bytes were lost.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;

    /// Returns the buffer of the last write for reuse, if the write has ended.
    fn take_buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Polls until the reader of the stream wants bytes. A socket always does.
    ///
    /// # Errors
    ///
    /// If the reader is gone.
    fn poll_wanted(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    /// Returns whether the stream has control messages to send, such as an alert.
    fn wants_control(&self) -> bool {
        false
    }

    /// Polls until the stream has sent its control messages.
    ///
    /// # Errors
    ///
    /// As for [`Sink::poll_rest`].
    fn poll_control(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    /// Returns for how many nanoseconds a close waits for the peer's end; `None` if it does not wait.
    fn peer_end_timeout(&self) -> Option<u64> {
        None
    }

    /// Polls for the peer's end, after [`Sink::poll_end`], if a close waits for it. Another task reads meanwhile.
    ///
    /// # Errors
    ///
    /// If the input ended in another way.
    fn poll_peer_end(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }
}

/// A monotonic clock.
pub trait Clock {
    /// Returns the time in nanoseconds.
    fn now(&self) -> u64;

    /// Waits until a moment on this clock. Dropping the future cancels the wait.
    fn sleep_until(&self, moment: u64) -> BoxFuture<'static, ()>;
}

/// Runs futures in the background, even while no call is running.
pub trait Executor {
    /// Starts the background unless it runs. Only in async calls.
    fn start(&self);

    /// Runs `future` in the background. In a sync call or a destructor, the background must already run: kept by
    /// [`Executor::keep`] or by another future.
    fn spawn(&self, future: BoxFuture<'static, ()>);

    /// Runs `f` at once as a part of the background, also in a sync call: it may poll, and what it polls stays pending in the
    /// background. Returns false, without running it, if the background does not run or the platform cannot do this.
    fn as_background(&self, f: &mut dyn FnMut()) -> bool {
        let _ = f;
        false
    }

    /// Keeps the background running, even without futures, until [`Executor::release`] was called as often. Only in
    /// async calls.
    fn keep(&self);

    /// Reverts one [`Executor::keep`].
    fn release(&self);

    /// Returns the number of the current turn. Within a turn, the platform runs no other task and delivers no event.
    fn turn(&self) -> u64;

    /// Runs `then` once all operations that were cancelled before have ended: now, or later in the background. An operation
    /// whose end depends on a peer delays nothing here.
    fn after_cancelled(&self, then: Box<dyn FnOnce()>);

    /// Calls `free` with numbers of handles, `handles` together, once the handles of dropped objects are free: now, or later
    /// in the background. A stream that its peer holds up delays as many handles as it has, and no others.
    fn give_back(&self, handles: u32, free: Box<dyn Fn(u32)>) {
        self.after_cancelled(Box::new(move || free(handles)));
    }

    /// Returns whether a cancelled operation may hold the address of a closed listening socket until it has ended.
    fn cancelled_may_hold_addresses(&self) -> bool {
        true
    }
}
