//! Calls into the component, and the handles of its resources.

use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Accessor, AccessorTask, ComponentNamedList, Lift, Lower, ResourceAny, TypedFunc,
    TypedFuncCallConcurrent,
};
use wasmtime::{AsContextMut, Store, StoreContextMut};

use super::bindings::Component;
use super::bindings::exports::asyncio::streams::streams::Guest;
use super::event_loop::{EventLoop, Job, Shared};
use crate::error::Error;
use crate::state::State;

/// An instance of the component, as everything that came from it holds it.
pub(super) struct Client {
    event_loop: Arc<EventLoop>,
    component: Component,
}

/// How to end a call whose caller is gone; called at most once.
pub(super) type Cancel = Box<dyn FnOnce(StoreContextMut<'_, State>) -> wasmtime::Result<()> + Send>;

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

    /// A call that does not wait.
    pub(super) async fn now<P, R>(&self, func: TypedFunc<P, R>, params: P) -> Result<R, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        self.call(
            Call {
                func,
                params: |_: &mut _| Ok(params),
                keep: (),
                cancel: None,
                result: |result, _: Access<_>| Ok(result),
            },
            true,
        )
        .await
    }

    /// A call that may wait. `keep` lives as long as the call does, whoever drops what; when the future is dropped,
    /// `cancel` is called.
    pub(super) async fn later<P, R>(
        &self,
        func: TypedFunc<P, R>,
        params: P,
        keep: impl Send + 'static,
        cancel: Option<Cancel>,
    ) -> Result<R, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        self.call(
            Call {
                func,
                params: |_: &mut _| Ok(params),
                keep,
                cancel,
                result: |result, _: Access<_>| Ok(result),
            },
            false,
        )
        .await
    }

    /// A call that nobody waits for; its result goes where [`Call::result`] puts it.
    pub(super) fn schedule<P, R, K>(
        &self,
        call: Call<
            P,
            R,
            K,
            impl FnOnce(&mut Store<State>) -> wasmtime::Result<P> + Send + 'static,
            impl FnOnce(R, Access<'_, State>) -> wasmtime::Result<()> + Send + 'static,
        >,
    ) where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
        K: Send + 'static,
    {
        let (tx, _) = oneshot::channel();
        self.shared().schedule(call.start(tx, self.shared()));
    }

    /// Any call, in full.
    pub(super) async fn call<P, R, T, K>(
        &self,
        call: Call<
            P,
            R,
            K,
            impl FnOnce(&mut Store<State>) -> wasmtime::Result<P> + Send + 'static,
            impl FnOnce(R, Access<'_, State>) -> wasmtime::Result<T> + Send + 'static,
        >,
        at_once: bool,
    ) -> Result<T, Error>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
        T: Send + 'static,
        K: Send + 'static,
    {
        let (tx, rx) = oneshot::channel();
        let job = call.start(tx, self.shared());
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

/// A call and what belongs to it.
pub(super) struct Call<P, R, K, F, G> {
    pub(super) func: TypedFunc<P, R>,
    /// Makes the parameters; some need the store.
    pub(super) params: F,
    /// Lives as long as the call.
    pub(super) keep: K,
    pub(super) cancel: Option<Cancel>,
    /// Makes of the result what the caller is given. What it makes must give back what it owns when it is dropped: the
    /// caller may be gone.
    pub(super) result: G,
}

impl<P, R, K, F, G> Call<P, R, K, F, G> {
    fn start<T>(self, tx: oneshot::Sender<T>, shared: &Arc<Shared>) -> Job
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
        K: Send + 'static,
        F: FnOnce(&mut Store<State>) -> wasmtime::Result<P> + Send + 'static,
        G: FnOnce(R, Access<'_, State>) -> wasmtime::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let shared = Arc::clone(shared);
        Box::new(move |store| {
            let Self {
                func,
                params,
                keep,
                cancel,
                result,
            } = self;
            let params = params(store)?;
            let call = func.start_call_concurrent(&mut *store, params)?;
            store.spawn(Task {
                func,
                call,
                keep,
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
struct Task<P, R, K, G, T> {
    func: TypedFunc<P, R>,
    call: TypedFuncCallConcurrent<State, P, R>,
    keep: K,
    cancel: Option<Cancel>,
    result: G,
    tx: oneshot::Sender<T>,
    shared: Arc<Shared>,
}

impl<P, R, K, G, T> AccessorTask<State> for Task<P, R, K, G, T>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
    K: Send + 'static,
    G: FnOnce(R, Access<'_, State>) -> wasmtime::Result<T> + Send + 'static,
    T: Send + 'static,
{
    async fn run(self, store: &Accessor<State>) -> wasmtime::Result<()> {
        let Self {
            func,
            call,
            keep,
            cancel,
            result,
            mut tx,
            shared,
        } = self;
        let done = pin!(func.finish_call_concurrent(store, call));
        let ended = match select(done, pin!(tx.closed())).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), done)) => {
                if let Some(cancel) = cancel {
                    store.with(|mut store| cancel(store.as_context_mut()))?;
                }
                done.await
            }
        };
        let given = store.with(|store| result(ended?, store))?;
        // The resources that the call borrowed are free before anybody can do something about its end.
        drop(keep);
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
    pub(super) fn new(resource: ResourceAny, shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            resource,
            shared: Arc::clone(shared),
        })
    }

    pub(super) fn resource(&self) -> ResourceAny {
        self.resource
    }

    /// A way to end calls on this resource: a call of `func` whose result nobody waits for.
    pub(super) fn cancel<P>(self: &Arc<Self>, func: TypedFunc<P, ()>, params: P) -> Option<Cancel>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
    {
        let keep = Arc::clone(self);
        Some(Box::new(move |mut store| {
            let call = func.start_call_concurrent(store.as_context_mut(), params)?;
            store.spawn(Cancelling {
                func,
                call,
                _keep: keep,
            })?;
            Ok(())
        }))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.drop_resource(self.resource);
    }
}

/// A call to cancel another one; it borrows the resource too.
struct Cancelling<P> {
    func: TypedFunc<P, ()>,
    call: TypedFuncCallConcurrent<State, P, ()>,
    _keep: Arc<Handle>,
}

impl<P> AccessorTask<State> for Cancelling<P>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
{
    async fn run(self, store: &Accessor<State>) -> wasmtime::Result<()> {
        self.func.finish_call_concurrent(store, self.call).await
    }
}
