use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wasmtime::ResourceLimiter;

/// The most that a program may use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Handles that may be alive at once: resources, streams, futures and calls in progress, of all parts of the
    /// program together. The default, 100,000, is wasmtime's own. A connection of the streams component takes up to
    /// [`HANDLES_PER_OPENED`](Limits::HANDLES_PER_OPENED) or [`HANDLES_PER_ACCEPTED`](Limits::HANDLES_PER_ACCEPTED).
    /// One handle more is a trap, which ends the program.
    pub max_handles: usize,
    /// Bytes that the linear memories and tables of all parts may have together. By default only the 4 GiB of a
    /// 32-bit memory are the limit. Memory beyond the limit is refused, and nearly every program traps then.
    pub max_memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_handles: 100_000,
            max_memory: usize::MAX,
        }
    }
}

impl Limits {
    /// The most handles that a connection takes which the program opened.
    pub const HANDLES_PER_OPENED: usize = asyncio_streams_core::HANDLES_OPENED as usize;

    /// The most handles that a connection takes which a server of the program accepted.
    pub const HANDLES_PER_ACCEPTED: usize = asyncio_streams_core::HANDLES_ACCEPTED as usize;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`max_handles`](Limits::max_handles).
    pub fn max_handles(mut self, handles: usize) -> Self {
        self.max_handles = handles;
        self
    }

    /// Sets [`max_memory`](Limits::max_memory), in bytes.
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }
}

/// Counts the memory of one store.
pub(crate) struct MemoryLimiter {
    limit: usize,
    used: usize,
    /// The size that was allowed last, in case the system then refuses it.
    last: usize,
    refused: bool,
    /// The memory of several stores together.
    total: Option<Arc<AtomicUsize>>,
}

/// The size of one element of a table.
const ELEMENT_BYTES: usize = size_of::<usize>();

impl MemoryLimiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.max_memory,
            used: 0,
            last: 0,
            refused: false,
            total: None,
        }
    }

    /// Counts in `total` as well, from now on.
    pub(crate) fn count_in(&mut self, total: Arc<AtomicUsize>) {
        total.fetch_add(self.used, Relaxed);
        self.total = Some(total);
    }

    /// The limit, if memory was refused because of it.
    pub(crate) fn refused(&self) -> Option<usize> {
        self.refused.then_some(self.limit)
    }

    fn grow(&mut self, current: usize, desired: usize, unit: usize) -> bool {
        let growth = desired.saturating_sub(current).saturating_mul(unit);
        let used = self.used.saturating_add(growth);
        let granted = used <= self.limit;
        if granted {
            self.last = used - self.used;
            self.used = used;
            if let Some(total) = &self.total {
                total.fetch_add(self.last, Relaxed);
            }
        }
        self.refused |= !granted;
        granted
    }

    fn failed(&mut self) {
        let failed = std::mem::take(&mut self.last);
        self.used = self.used.saturating_sub(failed);
        if let Some(total) = &self.total {
            total.fetch_sub(failed, Relaxed);
        }
    }
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        if let Some(total) = &self.total {
            total.fetch_sub(self.used, Relaxed);
        }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, ELEMENT_BYTES))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_count_together() -> wasmtime::Result<()> {
        let mut limiter = MemoryLimiter::new(&Limits::new().max_memory(1000));
        assert!(limiter.memory_growing(0, 600, None)?);
        assert!(limiter.table_growing(0, 50, None)?);
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.memory_growing(600, 601, None)?);
        assert_eq!(limiter.refused(), Some(1000));
        limiter.table_grow_failed(wasmtime::Error::msg("the system has no more"))?;
        assert!(limiter.memory_growing(600, 1000, None)?);
        assert!(!limiter.memory_growing(1000, usize::MAX, None)?);
        Ok(())
    }
}
