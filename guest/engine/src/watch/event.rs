//! Something to wait for.

use std::fmt;

use crate::platform::BoxFuture;
use crate::types::Error;

/// Something that can be waited for, any number of times.
///
/// It does not keep its reader, writer or server open. The code that drops one of these removes its events, or
/// [ends](super::Watch::end) them.
pub struct Event(Box<dyn Fn() -> Waiting>);

pub(super) type Waiting = BoxFuture<'static, Result<(), Error>>;

impl Event {
    pub(crate) fn new<F: Future<Output = Result<(), Error>> + 'static>(
        begin: impl Fn() -> F + 'static,
    ) -> Self {
        Event(Box::new(move || Box::pin(begin())))
    }

    pub(super) fn begin(&self) -> Waiting {
        (self.0)()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").finish_non_exhaustive()
    }
}
