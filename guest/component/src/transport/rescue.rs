//! Reading from a stream without losing what a cancelled read had got already.

use std::future::poll_fn;
use std::pin::{Pin, pin};

use wit_bindgen::{StreamRead, StreamReader, StreamResult};

/// Waits until there is something to read; false at the end.
///
/// A read of length zero takes nothing and holds no buffer, so a dropped wait loses nothing.
pub(crate) async fn ready<T: 'static>(stream: &mut StreamReader<T>) -> bool {
    let (result, _) = stream.read(Vec::new()).await;
    result != StreamResult::Dropped
}

/// Reads into the spare capacity of `buffer` and gives it to `took`, also when the call is dropped. False at the end.
pub(crate) async fn read<T: 'static>(
    stream: &mut StreamReader<T>,
    buffer: Vec<T>,
    took: impl FnOnce(Vec<T>),
) -> bool {
    let mut rescue = Rescue {
        read: pin!(stream.read(buffer)),
        took: Some(took),
    };
    let (result, buffer) = poll_fn(|cx| rescue.read.as_mut().poll(cx)).await;
    if let Some(took) = rescue.took.take() {
        took(buffer);
    }
    result != StreamResult::Dropped
}

struct Rescue<'a, 'b, T: 'static, F: FnOnce(Vec<T>)> {
    read: Pin<&'a mut StreamRead<'b, T>>,
    took: Option<F>,
}

impl<T: 'static, F: FnOnce(Vec<T>)> Drop for Rescue<'_, '_, T, F> {
    fn drop(&mut self) {
        if let Some(took) = self.took.take() {
            let (_, buffer) = self.read.as_mut().cancel();
            took(buffer);
        }
    }
}
