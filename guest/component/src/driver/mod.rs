//! What goes on when no call is running: writing what is queued, closing, discarding, timers.

mod timer;

pub(crate) use asyncio_streams_task::{
    KeepRunning, after_cancelled, cancelled_have_ended, let_tasks_exit, next_turn,
    spawn_in_background as spawn, start_background as start,
};
pub(crate) use timer::{Sleep, now, sleep};
