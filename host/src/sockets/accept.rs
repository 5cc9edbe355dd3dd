//! Accepting, as a stream of the component model.

use std::pin::Pin;
use std::task::{Context, Poll};

use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, Resource, StreamProducer, StreamResult};

use crate::state::State;

/// The connections of a listener.
pub(super) trait Connections: Send + Unpin + 'static {
    /// A connection that was accepted and not yet handed to the program.
    type Accepted: Send + Unpin + 'static;
    /// The program's resource for a connection.
    type Resource: Send + 'static;

    /// Waits for a connection; `None` once there will be no more.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Accepted>>;

    /// Makes the resource of a connection, just before the program gets it.
    fn hand_over(&self, accepted: Self::Accepted) -> Self::Resource;

    /// Takes a connection back that the program did not get. By default it is closed.
    fn give_back(&self, accepted: Self::Accepted) {
        drop(accepted);
    }
}

/// The stream of a listener's connections.
pub(super) struct Accept<C: Connections> {
    connections: C,
    /// The result of a zero-length read.
    waiting: Option<C::Accepted>,
}

impl<C: Connections> Accept<C> {
    pub(super) fn new(connections: C) -> Self {
        Self {
            connections,
            waiting: None,
        }
    }
}

impl<C: Connections> Drop for Accept<C> {
    fn drop(&mut self) {
        if let Some(accepted) = self.waiting.take() {
            self.connections.give_back(accepted);
        }
    }
}

impl<C: Connections> StreamProducer<State> for Accept<C> {
    type Item = Resource<C::Resource>;
    type Buffer = Option<Resource<C::Resource>>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, State>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.waiting.is_none() {
            match self.connections.poll_next(cx) {
                Poll::Ready(Some(accepted)) => self.waiting = Some(accepted),
                Poll::Ready(None) => return Poll::Ready(Ok(StreamResult::Dropped)),
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if destination.remaining(&mut store) != Some(0)
            && let Some(accepted) = self.waiting.take()
        {
            let resource = self.connections.hand_over(accepted);
            destination.set_buffer(Some(store.data_mut().table_mut().push(resource)?));
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
