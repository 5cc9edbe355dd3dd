//! What the engine needs of a platform: sockets, byte streams, a clock, and a way to run futures in the background.
//!
//! # Contract
//!
//! The component model dictates most of it; every implementation keeps it, so that the engine behaves the same on all.
//!
//! - Everything runs on one thread. No method blocks.
//! - An operation that is pending outlives the future that waits for it. When the engine stops waiting it calls
//!   `leave`, which must not cancel: the next poll continues the operation, and nothing that it carries is lost.
//! - Only dropping the [`Source`], [`Sink`], [`Listener`] or connecting future ends its pending operation. The engine drops
//!   them anywhere, also in destructors, where no operation may be cancelled on the spot: the platform cancels in the
//!   background. [`Executor::after_cancelled`] tells when that is done.
//! - Polls happen only in async calls and in background futures, never in sync calls or destructors.

use std::any::Any;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::errors::{LookupError, SocketError};
use crate::transport::Room;
use crate::types::{Error, KeepAlive};

/// A future on the heap, for this thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Everything that an [`Engine`](crate::Engine) runs on.
pub trait Platform: Net + Clock + Executor {}

impl<T: Net + Clock + Executor> Platform for T {}

/// The network.
pub trait Net {
    /// Looks up the addresses of a name of ASCII letters, in the name service's order of preference.
    fn resolve(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, LookupError>>;

    /// Creates a TCP socket of the family of `address`.
    ///
    /// # Errors
    ///
    /// The system's.
    fn tcp_socket(&self, address: &SocketAddr) -> Result<Box<dyn TcpSocket>, SocketError>;
}

/// A TCP socket that is not in use yet, or one that is connected and whose streams were not taken.
pub trait TcpSocket {
    /// Sets the keep-alive options. Connections that a listener accepts inherit them.
    ///
    /// # Errors
    ///
    /// The system's, as in all methods.
    fn set_keep_alive(&self, options: &KeepAlive) -> Result<(), SocketError>;

    /// Binds the socket to a local address.
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

    /// Listens, with room for `backlog` connections that were not accepted yet.
    fn listen(&self, backlog: u32) -> Result<Box<dyn Listener>, SocketError>;

    /// Takes the incoming bytes of a connected socket, once.
    fn receive(&self) -> Box<dyn Source>;

    /// Takes the outgoing bytes of a connected socket, and gives up the socket: the streams keep the connection.
    fn send(self: Box<Self>) -> Box<dyn Sink>;
}

/// A listening socket. Dropping it closes it.
pub trait Listener {
    /// Polls for a connection. One that arrives while nobody polls is kept.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn TcpSocket>>;

    /// The engine stops waiting for now.
    fn leave(&mut self);
}

/// A stream of bytes that come in.
pub trait Source {
    /// Polls for bytes: at least one, or `None` at the end, every time. A pending read keeps the buffer that it took from
    /// `room`, together with its permit.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &Room<'_>) -> Poll<Option<Vec<u8>>>;

    /// The engine stops waiting for now.
    fn leave(&mut self);

    /// Polls for how the stream ended. The engine asks after the end only, perhaps repeatedly.
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;

    /// Polls for how the stream ended, for a caller who did not want its bytes: bytes that are missing are no loss then.
    fn poll_outcome_unread(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_outcome(cx)
    }

    /// Polls whether there seems to be something to read, without taking it; false at the end. A platform that cannot tell
    /// says true.
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<bool> {
        Poll::Ready(true)
    }

    /// Returns the platform's own handle of the stream, for a face that knows its platform. There is none once the stream
    /// has ended, nor on a platform that has no use for it.
    fn handle(&self) -> Option<Rc<dyn Any>> {
        None
    }

    /// Ends a pending read, and returns the bytes that it got. Only in async calls.
    fn stop(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Drops the stream; `then` receives the bytes that a pending read got, now or later in the background.
    fn stop_then(self: Box<Self>, then: Box<dyn FnOnce(Vec<u8>)>) {
        drop(then);
    }
}

/// A stream of bytes that go out. It owns the bytes of one write until they are taken.
pub trait Sink {
    /// Starts to write `bytes`; returns how many were taken at once. Nothing may be left of an earlier write. Only in async
    /// calls.
    fn start(&mut self, bytes: Vec<u8>) -> usize;

    /// Returns whether bytes of the last write are still to be taken.
    fn has_rest(&self) -> bool;

    /// Polls for the next part of the last write to be taken, and returns its length; 0 when nothing is left.
    ///
    /// # Errors
    ///
    /// The reason why the stream takes no more.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>>;

    /// The engine stops waiting for now.
    fn leave(&mut self);

    /// Ends the stream, for TCP with a FIN, and polls for its confirmation that every byte was taken.
    ///
    /// # Errors
    ///
    /// The reason why bytes were lost.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;

    /// Returns the buffer of the last write for reuse, if nothing is left of it.
    fn take_buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Polls whether the reader of the stream wants bytes now. A socket always does.
    ///
    /// # Errors
    ///
    /// The reader is gone.
    fn poll_wanted(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    /// Returns whether the stream has something to send of its own, such as an alert.
    fn wants_control(&self) -> bool {
        false
    }

    /// Polls until the stream has sent what it has to send of its own.
    ///
    /// # Errors
    ///
    /// As for [`Sink::poll_rest`].
    fn poll_control(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    /// Returns for how many nanoseconds a close waits for the peer's end, if it does.
    fn peer_end_timeout(&self) -> Option<u64> {
        None
    }

    /// Polls for the peer's end, after [`Sink::poll_end`], if a close waits for it. Another task reads meanwhile.
    ///
    /// # Errors
    ///
    /// How the input ended instead.
    fn poll_peer_end(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }
}

/// A monotonic clock.
pub trait Clock {
    /// Returns the time in nanoseconds.
    fn now(&self) -> u64;

    /// Waits for a moment on this clock. Dropping the future forgets it.
    fn sleep_until(&self, moment: u64) -> BoxFuture<'static, ()>;
}

/// Runs what has to go on when no call is running.
pub trait Executor {
    /// Makes sure that the background runs. Only in async calls.
    fn start(&self);

    /// Runs `future` in the background. In a sync call or a destructor the background must be running already, kept by
    /// [`Executor::keep`] or by another future.
    fn spawn(&self, future: BoxFuture<'static, ()>);

    /// Keeps the background running until the same number of calls of [`Executor::release`], even without futures. Only
    /// in async calls.
    fn keep(&self);

    /// Takes back one [`Executor::keep`].
    fn release(&self);

    /// Returns the number of the current turn. Within a turn, the platform runs no other task and delivers no event.
    fn turn(&self) -> u64;

    /// Runs `then` when all operations that were cancelled before have ended: now, or later in the background.
    fn after_cancelled(&self, then: Box<dyn FnOnce()>);

    /// Returns whether a cancelled operation may hold the address of a closed listening socket until it has ended.
    fn cancelled_may_hold_addresses(&self) -> bool {
        true
    }
}
