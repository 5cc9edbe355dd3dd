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

/// An instance of the component, as everything that came from it holds it.
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

    /// Makes a call that does not wait: it is over within one poll.
    pub(super) async fn call_at_once<P: Params, R: Results, T: Send + 'static>(
        &self,
        call: Call<P, R, T>,
    ) -> Result<T, Error> {
        self.run(call, true).await
    }

    /// Makes a call that nobody waits for.
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

/// What a function of the component takes.
pub(super) trait Params: ComponentNamedList + Lower + Send + Sync + 'static {}
impl<T: ComponentNamedList + Lower + Send + Sync + 'static> Params for T {}

/// What a function of the component gives.
pub(super) trait Results: ComponentNamedList + Lift + Send + Sync + 'static {}
impl<T: ComponentNamedList + Lift + Send + Sync + 'static> Results for T {}

/// A call of a function that takes `P` and gives `R`, of which the caller is given `T`.
pub(super) struct Call<P, R, T = R> {
    func: TypedFunc<P, R>,
    params: MakeParams<P>,
    borrows: Borrows,
    cancel: Option<Cancel>,
    result: MakeResult<R, T>,
}

type MakeParams<P> = Box<dyn FnOnce(&mut Store<State>) -> wasmtime::Result<P> + Send>;
type MakeResult<R, T> = Box<dyn FnOnce(R, Access<'_, State>) -> wasmtime::Result<T> + Send>;

/// What a call was given, and must not be dropped before it is over.
type Borrows = Vec<Box<dyn Any + Send + Sync>>;

/// How to end a call. What that call borrows is free only when this is done as well, or it could hit the next one.
pub(super) type Cancel =
    Box<dyn FnOnce(StoreContextMut<'_, State>, Arc<Borrows>) -> wasmtime::Result<()> + Send>;

impl<P: Params, R: Results> Call<P, R> {
    pub(super) fn new(func: TypedFunc<P, R>, params: P) -> Self {
        Self::with(func, move |_| Ok(params))
    }

    /// With parameters that can be made only where the store is.
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

    /// Makes of the result what the caller is given. It must give back what it owns when it is dropped, since
    /// the caller may be gone.
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
    /// Keeps something for as long as the call takes, whoever drops what: the resources that it was given.
    pub(super) fn borrow(mut self, what: impl Send + Sync + 'static) -> Self {
        self.borrows.push(Box::new(what));
        self
    }

    /// What to do when the caller is gone before the call is over. Without it, the call goes on.
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
        // What was borrowed is free before anybody can do something about the end of the call.
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

/// A resource and the instance that it is of: what the types that users see are made of.
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

    /// Keeps the resource alive.
    pub(super) fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.handle)
    }

    /// A call that is given the resource.
    pub(super) fn call<P: Params, R: Results>(
        &self,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Call<P, R> {
        Call::new(func, params).borrow(self.handle())
    }

    /// Makes a call that is given the resource and does not wait.
    pub(super) async fn ask<P: Params, R: Results>(
        &self,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Result<R, Error> {
        self.client.call_at_once(self.call(func, params)).await
    }

    /// A way to end calls that were given the resource: a call of `func`, whose end nobody waits for.
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

/// A call to cancel another one.
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
