//! The engine's platform on WASI 0.3.

mod address;
mod net;
mod received;
mod sent;

use asyncio_streams_engine::platform::{BoxFuture, Clock, Executor};

use crate::{background, task, timer};

pub use net::{Listener, TcpSocket};
pub use received::Received;
pub use sent::Sent;

/// WASI 0.3: its sockets, its name service, its clock, and the background of this component.
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
    fn start(&self) {
        background::start();
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        background::push(future);
    }

    fn keep(&self) {
        background::keep();
    }

    fn release(&self) {
        background::release();
    }

    fn turn(&self) -> u64 {
        task::turn()
    }

    fn after_cancelled(&self, then: Box<dyn FnOnce()>) {
        background::after_cancelled(then);
    }
}
