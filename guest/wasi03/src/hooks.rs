//! Work that a program does once a turn: before and after the futures of its tasks.

use std::cell::Cell;
use std::task::Context;

use crate::shared;

/// Two functions that the executor calls in every turn of every task, as that task.
#[derive(Clone, Copy)]
pub struct TurnHooks {
    /// Before the futures of the task are polled. It may wake them for this turn.
    pub before: fn(&Context<'_>),
    /// After they were polled. A future that it wakes is polled again in this turn, and this function called again, up to four times.
    /// The argument is true when no future is left: then the task ends, unless an operation is pending.
    pub after: fn(&Context<'_>, bool),
}

thread_local! {
    static HOOKS: Cell<Option<TurnHooks>> = const { Cell::new(None) };
}

/// Sets the functions, in place of earlier ones.
pub fn set_turn_hooks(hooks: TurnHooks) {
    HOOKS.set(Some(hooks));
}

/// Returns whether a task of this executor is running, so that the end of its turn will come.
pub fn in_task() -> bool {
    shared::is_in_task()
}

pub(crate) fn before(cx: &Context<'_>) {
    if let Some(hooks) = HOOKS.get() {
        (hooks.before)(cx);
    }
}

pub(crate) fn after(cx: &Context<'_>, ends: bool) {
    if let Some(hooks) = HOOKS.get() {
        (hooks.after)(cx, ends);
    }
}
