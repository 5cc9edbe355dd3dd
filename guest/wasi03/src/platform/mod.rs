//! The engine's platform on WASI 0.3.

mod address;
mod net;
mod received;
mod sent;
mod unix;

use asyncio_streams_engine::platform::{BoxFuture, Clock, Executor};

use crate::bindings::wit_stream::{self, StreamPayload};
use crate::stream::StreamReader;
use crate::{background, task, timer};

pub use net::{Listener, TcpSocket};
pub use received::Received;
pub use sent::Sent;
pub use unix::WasiUnix;

/// Takes over the reading end of a `stream<u8>` by its handle, from bindings with another runtime.
///
/// The stream owns the handle from now on; no operation may be pending on it.
pub fn stream_from_handle(handle: u32) -> StreamReader<u8> {
    StreamReader::new(handle, <u8 as StreamPayload>::VTABLE)
}

/// Creates a `stream<u8>`: the writing end as a sink, the reading end as a handle, for bindings with another runtime.
pub fn byte_stream() -> (Sent, u32) {
    let (to, stream) = wit_stream::new::<u8>();
    (Sent::to_stream(to), stream.take_handle())
}

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

    fn as_background(&self, f: &mut dyn FnMut()) -> bool {
        background::as_background(f).is_some()
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
