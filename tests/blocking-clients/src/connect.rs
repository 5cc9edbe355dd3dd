//! Opening connections, with the options that the programs set.

use std::time::Duration;

use crate::Error;
use crate::bindings::asyncio::streams::blocking;
use crate::reader::Reader;
use crate::writer::Writer;

/// How to connect.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectOptions {
    limit: Option<usize>,
    max_result: Option<usize>,
    max_queued: Option<usize>,
    close_deadline: Option<Duration>,
}

impl ConnectOptions {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    pub(crate) fn max_result(mut self, bytes: usize) -> Self {
        self.max_result = Some(bytes);
        self
    }

    pub(crate) fn max_queued(mut self, bytes: usize) -> Self {
        self.max_queued = Some(bytes);
        self
    }

    pub(crate) fn close_deadline(mut self, deadline: Duration) -> Self {
        self.close_deadline = Some(deadline);
        self
    }

    /// Blocks until the connection is open.
    pub(crate) async fn open_connection(
        &self,
        host: &str,
        port: u16,
    ) -> Result<(Reader, Writer), Error> {
        let options = blocking::ConnectOptions::new();
        let bytes = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if let Some(n) = self.limit {
            options.set_limit(bytes(n))?;
        }
        if let Some(n) = self.max_result {
            options.set_max_result(bytes(n))?;
        }
        if let Some(n) = self.max_queued {
            options.set_max_queued(bytes(n))?;
        }
        if let Some(deadline) = self.close_deadline {
            let nanoseconds = u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX);
            options.set_close_deadline(Some(nanoseconds));
        }
        let (reader, writer) = blocking::open_connection(host, port, Some(&options))?;
        Ok((Reader(reader), Writer(writer)))
    }
}

pub(crate) async fn open_connection(host: &str, port: u16) -> Result<(Reader, Writer), Error> {
    ConnectOptions::new().open_connection(host, port).await
}
