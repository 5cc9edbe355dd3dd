//! Where a watch reports its keys to.

use std::task::{Context, Poll};

/// Takes the keys that a [`Watch`](super::Watch) reports.
pub trait KeySink {
    /// Starts to send keys. The ones before must have been taken.
    fn start(&mut self, keys: Vec<u32>);

    /// Returns whether keys were not taken yet.
    fn has_rest(&self) -> bool;

    /// Polls until the next part of the keys is taken. Returns false if the receiver is gone. Only the background calls it.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<bool>;
}
