//! `asyncio:streams/signals`: tells a program of the signals that it handles.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, ComponentType, Lift, Linker, Lower};

use crate::state::State;

const INTERFACE: &str = "asyncio:streams/signals@0.1.0";

/// A signal that asks a program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Signal {
    /// SIGINT: the user asks.
    #[component(name = "interrupt")]
    Interrupt,
    /// SIGTERM: the system asks.
    #[component(name = "terminate")]
    Terminate,
}

/// Tells one run of a program of signals; see [`Command::signals`](crate::Command::signals). A clone tells the same run.
///
/// Only programs that import `asyncio:streams/signals` can handle signals, and they choose which.
#[derive(Debug, Clone, Default)]
pub struct Signals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    states: Mutex<States>,
    sent: Notify,
}

#[derive(Debug, Default)]
struct States {
    interrupt: Handling,
    terminate: Handling,
}

#[derive(Debug, Default)]
struct Handling {
    handled: bool,
    pending: bool,
}

impl States {
    fn of(&mut self, signal: Signal) -> &mut Handling {
        match signal {
            Signal::Interrupt => &mut self.interrupt,
            Signal::Terminate => &mut self.terminate,
        }
    }
}

impl Signals {
    /// Makes one for a run.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the program of a signal. Returns false, and does nothing, if the program does not handle this signal, or has not
    /// taken the same one before: then the caller should end the program.
    pub fn send(&self, signal: Signal) -> bool {
        let sent = self.with(|states| {
            let state = states.of(signal);
            state.handled && !std::mem::replace(&mut state.pending, true)
        });
        if sent {
            self.0.sent.notify_one();
        }
        sent
    }

    fn handle(&self, signal: Signal, handled: bool) {
        self.with(|states| {
            let state = states.of(signal);
            state.handled = handled;
            state.pending &= handled;
        });
    }

    async fn next(&self) -> Signal {
        loop {
            let sent = self.0.sent.notified();
            if let Some(signal) = self.take() {
                return signal;
            }
            sent.await;
        }
    }

    fn take(&self) -> Option<Signal> {
        self.with(|states| {
            [Signal::Terminate, Signal::Interrupt]
                .into_iter()
                .find(|signal| std::mem::take(&mut states.of(*signal).pending))
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut States) -> T) -> T {
        change(&mut self.0.states.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds the interface to a linker.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap(
        "handle",
        |store: StoreContextMut<'_, State>, (signal, handled): (Signal, bool)| {
            store.data().signals().handle(signal, handled);
            Ok(())
        },
    )?;
    interface.func_wrap_concurrent("next", |store: &Accessor<State>, (): ()| {
        Box::pin(async move {
            let signals = store.with(|mut store| store.data_mut().signals().clone());
            Ok((signals.next().await,))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_handled_signals_are_taken_and_each_once() {
        let signals = Signals::new();
        assert!(!signals.send(Signal::Interrupt));
        signals.handle(Signal::Interrupt, true);
        assert!(!signals.send(Signal::Terminate));
        assert!(signals.send(Signal::Interrupt));
        assert!(!signals.send(Signal::Interrupt), "it was not taken yet");
        assert_eq!(signals.next().await, Signal::Interrupt);
        assert_eq!(signals.take(), None);
        assert!(signals.send(Signal::Interrupt));
        signals.handle(Signal::Interrupt, true);
        assert_eq!(signals.take(), Some(Signal::Interrupt), "it is still sent");
        assert!(signals.send(Signal::Interrupt));
        signals.handle(Signal::Interrupt, false);
        assert_eq!(signals.take(), None);
        assert!(!signals.send(Signal::Interrupt));
    }

    #[tokio::test]
    async fn a_waiting_call_returns_when_a_signal_comes() {
        let signals = Signals::new();
        signals.handle(Signal::Terminate, true);
        let (signal, sent) =
            tokio::join!(signals.next(), async { signals.send(Signal::Terminate) });
        assert_eq!((signal, sent), (Signal::Terminate, true));
    }
}
