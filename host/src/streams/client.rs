//! Calls into the component, and the handles of its resources.

use std::any::Any;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Accessor, AccessorTask, ComponentNamedList, Lift, Lower, ResourceAny, TypedFunc,
    TypedFuncCallConcurrent,
};
use wasmtime::{AsContextMut, Store, StoreContextMut};

use super::event_loop::{EventLoop, Job, Shared};
use crate::error::Error;
use crate::state::State;
use crate::wit::{Component, Guest};

/// An instance of the component, shared by all its objects.
pub(super) struct Client {
    event_loop: Arc<EventLoop>,
    component: Component,
}

impl Client {
    /// Starts the event loop in a task of the current tokio runtime.
    pub(super) fn new(store: Store<State>, component: Component) -> Arc<Self> {
        let event_loop = Arc::new(EventLoop::new(store));
        let driver = Arc::clone(&event_loop);
        tokio::spawn(async move { driver.drive().await });
        Arc::new(Self {
            event_loop,
            component,
        })
    }

    pub(super) fn guest(&self) -> &Guest {
        self.component.asyncio_streams_streams()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.event_loop.shared()
    }

    /// Makes a call that may wait.
    pub(super) async fn call<P: Params, R: Results, T: Send + 'static>(
        &self,
        call: Call<P, R, T>,
    ) -> Result<T, Error> {
        self.run(call, false).await
    }

    /// Makes a call that does not wait: it completes within one poll.
    pub(super) async fn call_at_once<P: Params, R: Results, T: Send + 'static>(
        &self,
        call: Call<P, R, T>,
    ) -> Result<T, Error> {
        self.run(call, true).await
    }

    /// Makes a call without waiting for its result.
    pub(super) fn schedule<P: Params, R: Results>(&self, call: Call<P, R, ()>) {
        let (tx, _) = oneshot::channel();
        self.shared().schedule(call.into_job(tx, self.shared()));
    }

    async fn run<P: Params, R: Results, T: Send + 'static>(
        &self,
        call: Call<P, R, T>,
        at_once: bool,
    ) -> Result<T, Error> {
        let (tx, rx) = oneshot::channel();
        let job = call.into_job(tx, self.shared());
        self.event_loop
            .call(job, rx, at_once)
            .await
            .map_err(Error::Stopped)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared().close();
    }
}

/// The parameters of a function of the component.
pub(super) trait Params: ComponentNamedList + Lower + Send + Sync + 'static {}
impl<T: ComponentNamedList + Lower + Send + Sync + 'static> Params for T {}

/// The results of a function of the component.
pub(super) trait Results: ComponentNamedList + Lift + Send + Sync + 'static {}
impl<T: ComponentNamedList + Lift + Send + Sync + 'static> Results for T {}

/// A call of a function that takes `P` and returns `R`, which the caller receives as `T`.
pub(super) struct Call<P, R, T = R> {
    func: TypedFunc<P, R>,
    params: MakeParams<P>,
    borrows: Borrows,
    cancel: Option<Cancel>,
    result: MakeResult<R, T>,
}

type MakeParams<P> = Box<dyn FnOnce(&mut Store<State>) -> wasmtime::Result<P> + Send>;
type MakeResult<R, T> = Box<dyn FnOnce(R, Access<'_, State>) -> wasmtime::Result<T> + Send>;

/// The resources that a call borrows; they must not be dropped before it is over.
type Borrows = Vec<Box<dyn Any + Send + Sync>>;

/// How to cancel a call. The borrows of that call are freed only when this is done as well, or it could cancel the
/// next one.
pub(super) type Cancel =
    Box<dyn FnOnce(StoreContextMut<'_, State>, Arc<Borrows>) -> wasmtime::Result<()> + Send>;

impl<P: Params, R: Results> Call<P, R> {
    pub(super) fn new(func: TypedFunc<P, R>, params: P) -> Self {
        Self::with(func, move |_| Ok(params))
    }

    /// Sets parameters that can be made only where the store is.
    pub(super) fn with(
        func: TypedFunc<P, R>,
        params: impl FnOnce(&mut Store<State>) -> wasmtime::Result<P> + Send + 'static,
    ) -> Self {
        let result = Box::new(|result, _: Access<'_, State>| Ok(result));
        Self {
            func,
            params: Box::new(params),
            borrows: Vec::new(),
            cancel: None,
            result,
        }
    }

    /// Converts the result for the caller. The converted value must free its resources on drop, since the caller may
    /// be gone.
    pub(super) fn map<T>(
        self,
        result: impl FnOnce(R, Access<'_, State>) -> wasmtime::Result<T> + Send + 'static,
    ) -> Call<P, R, T> {
        let Self {
            func,
            params,
            borrows,
            cancel,
            result: _,
        } = self;
        Call {
            func,
            params,
            borrows,
            cancel,
            result: Box::new(result),
        }
    }
}

impl<P: Params, R: Results, T: Send + 'static> Call<P, R, T> {
    /// Keeps `what` alive until the call is over: the resources that it borrows.
    pub(super) fn borrow(mut self, what: impl Send + Sync + 'static) -> Self {
        self.borrows.push(Box::new(what));
        self
    }

    /// Sets how to cancel the call when its caller is gone. Without it, the call continues.
    pub(super) fn or_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    fn into_job(self, tx: oneshot::Sender<T>, shared: &Arc<Shared>) -> Job {
        let shared = Arc::clone(shared);
        Box::new(move |store| {
            let Self {
                func,
                params,
                borrows,
                cancel,
                result,
            } = self;
            let params = params(store)?;
            let call = func.start_call_concurrent(&mut *store, params)?;
            store.spawn(Task {
                func,
                call,
                borrows,
                cancel,
                result,
                tx,
                shared,
            })?;
            Ok(())
        })
    }
}

/// A call in progress: a task of the store.
struct Task<P, R, T> {
    func: TypedFunc<P, R>,
    call: TypedFuncCallConcurrent<State, P, R>,
    borrows: Borrows,
    cancel: Option<Cancel>,
    result: MakeResult<R, T>,
    tx: oneshot::Sender<T>,
    shared: Arc<Shared>,
}

impl<P: Params, R: Results, T: Send + 'static> AccessorTask<State> for Task<P, R, T> {
    async fn run(self, store: &Accessor<State>) -> wasmtime::Result<()> {
        let Self {
            func,
            call,
            borrows,
            cancel,
            result,
            mut tx,
            shared,
        } = self;
        let borrows = Arc::new(borrows);
        let mut done = pin!(func.finish_call_concurrent(store, call));
        let ended = {
            let mut gone = pin!(tx.closed());
            poll_fn(|cx| match done.as_mut().poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending => gone.as_mut().poll(cx).map(|()| None),
            })
            .await
        };
        let ended = match (ended, cancel) {
            (Some(ended), _) => ended,
            (None, Some(cancel)) => {
                store.with(|mut store| cancel(store.as_context_mut(), Arc::clone(&borrows)))?;
                done.await
            }
            (None, None) => done.await,
        };
        let given = store.with(|store| result(ended?, store))?;
        // Free the borrows before anyone can react to the end of the call.
        drop(borrows);
        if tx.send(given).is_ok() {
            shared.delivered();
        }
        Ok(())
    }
}

/// Owns a resource of the component: dropping the last owner drops the resource.
pub(super) struct Handle {
    resource: ResourceAny,
    shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn new(resource: ResourceAny, shared: &Arc<Shared>) -> Self {
        Self {
            resource,
            shared: Arc::clone(shared),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.drop_resource(self.resource);
    }
}

/// A resource and its instance: the content of the public types.
pub(super) struct Object {
    handle: Arc<Handle>,
    client: Arc<Client>,
}

impl Object {
    pub(super) fn new(handle: Handle, client: &Arc<Client>) -> Self {
        Self {
            handle: Arc::new(handle),
            client: Arc::clone(client),
        }
    }

    pub(super) fn resource(&self) -> ResourceAny {
        self.handle.resource
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(super) fn guest(&self) -> &Guest {
        self.client.guest()
    }

    /// Returns an owner of the resource, which keeps it alive.
    pub(super) fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.handle)
    }

    /// Makes a call that borrows the resource.
    pub(super) fn call<P: Params, R: Results>(
        &self,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Call<P, R> {
        Call::new(func, params).borrow(self.handle())
    }

    /// Makes a call that borrows the resource and does not wait.
    pub(super) async fn ask<P: Params, R: Results>(
        &self,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Result<R, Error> {
        self.client.call_at_once(self.call(func, params)).await
    }

    /// Returns a way to cancel calls that borrow the resource: a call of `func` whose end is not awaited.
    pub(super) fn cancel<P: Params>(&self, func: TypedFunc<P, ()>, params: P) -> Cancel {
        Box::new(move |mut store, borrows| {
            let call = func.start_call_concurrent(store.as_context_mut(), params)?;
            store.spawn(Cancelling {
                func,
                call,
                _borrows: borrows,
            })?;
            Ok(())
        })
    }
}

/// A call that cancels another one.
struct Cancelling<P> {
    func: TypedFunc<P, ()>,
    call: TypedFuncCallConcurrent<State, P, ()>,
    _borrows: Arc<Borrows>,
}

impl<P: Params> AccessorTask<State> for Cancelling<P> {
    async fn run(self, store: &Accessor<State>) -> wasmtime::Result<()> {
        self.func.finish_call_concurrent(store, self.call).await
    }
}
