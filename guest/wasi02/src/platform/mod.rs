//! The engine's platform on WASI 0.2.

mod errors;
mod listener;
mod net;
mod received;
mod sent;
mod socket;

use asyncio_streams_engine::platform::{BoxFuture, Clock, Executor, Sink, Source};

use crate::bindings::wasi::io::streams::{InputStream, OutputStream};
use crate::{abandoned, background, executor, timer};

use received::Received;
pub use received::subscribe;
use sent::Sent;

/// Returns the bytes of a stream that is no socket's.
pub fn source(input: InputStream) -> Box<dyn Source> {
    Box::new(Received::new(Some(input), None))
}

/// Returns the way for bytes into a stream that is no socket's.
pub fn sink(output: OutputStream) -> Box<dyn Sink> {
    Box::new(Sent::new(Some(output), None))
}

/// WASI 0.2: its sockets, its name service, its clock, and futures that go on while a call waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wasi;

impl Clock for Wasi {
    fn now(&self) -> u64 {
        timer::now()
    }

    fn sleep_until(&self, moment: u64) -> BoxFuture<'static, ()> {
        Box::pin(timer::Sleep::until(moment))
    }
}

impl Executor for Wasi {
    fn start(&self) {}

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        background::spawn(future);
    }

    fn keep(&self) {}

    fn release(&self) {}

    fn turn(&self) -> u64 {
        executor::turn()
    }

    fn after_cancelled(&self, then: Box<dyn FnOnce()>) {
        // Everything is dropped at once, except output streams, whose ends depend on peers.
        then();
    }

    fn give_back(&self, handles: u32, free: Box<dyn Fn(u32)>) {
        abandoned::give_back(handles, free);
    }

    fn cancelled_may_hold_addresses(&self) -> bool {
        // A listening socket is closed at once.
        false
    }
}
