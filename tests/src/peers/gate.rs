//! A gate where threads wait for each other.

use std::sync::{Condvar, Mutex, PoisonError};

use super::PATIENCE;

/// A gate that opens when a number of threads have arrived. Unlike `std::sync::Barrier` it has a deadline.
#[derive(Debug)]
pub struct Gate {
    missing: Mutex<usize>,
    opened: Condvar,
}

impl Gate {
    /// A gate for `n` threads.
    pub fn new(n: usize) -> Self {
        Self {
            missing: Mutex::new(n),
            opened: Condvar::new(),
        }
    }

    /// Waits until all have arrived.
    ///
    /// # Panics
    /// When some do not arrive.
    #[track_caller]
    pub fn pass(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        if *missing == 0 {
            self.opened.notify_all();
            return;
        }
        let waited = self
            .opened
            .wait_timeout_while(missing, PATIENCE, |missing| *missing > 0);
        let (missing, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(*missing == 0, "{missing} have not come");
    }
}
