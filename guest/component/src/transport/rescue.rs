//! Reading from a stream without losing what a cancelled read had got already: bytes, or the end.

use std::future::poll_fn;
use std::pin::{Pin, pin};

use wit_bindgen::{StreamRead, StreamReader, StreamResult};

/// A stream that is read from.
///
/// It knows its end: a read after the one that was told of the end is a trap, also if that read was cancelled and nobody
/// looked at what it was told.
pub(crate) struct Source<T: 'static> {
    stream: StreamReader<T>,
    ended: bool,
}

impl<T: 'static> Source<T> {
    pub(crate) fn new(stream: StreamReader<T>) -> Self {
        Source {
            stream,
            ended: false,
        }
    }

    /// Waits until there is something to read; false at the end.
    ///
    /// A read of length zero takes nothing and holds no buffer, so a dropped wait loses nothing.
    pub(crate) async fn ready(&mut self) -> bool {
        self.read(Vec::new(), drop).await
    }

    /// Reads into the spare capacity of `buffer` and gives it to `took`, also when the call is dropped. False at the
    /// end.
    pub(crate) async fn read(&mut self, buffer: Vec<T>, took: impl FnOnce(Vec<T>)) -> bool {
        if self.ended {
            took(buffer);
            return false;
        }
        let mut rescue = Rescue {
            read: pin!(self.stream.read(buffer)),
            ended: &mut self.ended,
            took: Some(took),
        };
        let (result, buffer) = poll_fn(|cx| rescue.read.as_mut().poll(cx)).await;
        rescue.settle(result, buffer)
    }
}

struct Rescue<'a, 'b, T: 'static, F: FnOnce(Vec<T>)> {
    read: Pin<&'a mut StreamRead<'b, T>>,
    ended: &'a mut bool,
    took: Option<F>,
}

impl<T: 'static, F: FnOnce(Vec<T>)> Rescue<'_, '_, T, F> {
    /// Hands on what the read gave; false at the end.
    fn settle(&mut self, result: StreamResult, buffer: Vec<T>) -> bool {
        *self.ended = result == StreamResult::Dropped;
        if let Some(took) = self.took.take() {
            took(buffer);
        }
        !*self.ended
    }
}

impl<T: 'static, F: FnOnce(Vec<T>)> Drop for Rescue<'_, '_, T, F> {
    fn drop(&mut self) {
        if self.took.is_some() {
            let (result, buffer) = self.read.as_mut().cancel();
            self.settle(result, buffer);
        }
    }
}
