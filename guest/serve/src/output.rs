//! Standard output and error.

use asyncio_streams_text::escaped;
use wit_bindgen::{FutureReader, StreamWriter};

use crate::bindings::wasi::cli::types::ErrorCode;
use crate::bindings::wasi::cli::{stderr, stdout};
use crate::bindings::wit_stream;

type Written = FutureReader<Result<(), ErrorCode>>;

/// Both streams, open until the end. Output that cannot be written is dropped: it could not be reported either.
pub(crate) struct Output {
    /// Opened by the first text, because standard output can belong to the client.
    out: Option<(StreamWriter<u8>, Written)>,
    err: (StreamWriter<u8>, Written),
}

impl Output {
    pub(crate) fn open() -> Self {
        let (err, err_reader) = wit_stream::new::<u8>();
        Output {
            out: None,
            err: (err, stderr::write_via_stream(err_reader)),
        }
    }

    /// Writes `text` to standard output.
    pub(crate) async fn print(&mut self, text: &str) {
        let (out, _) = self.out.get_or_insert_with(|| {
            let (out, reader) = wit_stream::new::<u8>();
            (out, stdout::write_via_stream(reader))
        });
        out.write_all(text.as_bytes().to_vec()).await;
    }

    /// Writes one line to standard error. Escaping keeps it on one line, whatever peers and handlers put into the text.
    pub(crate) async fn log(&mut self, line: &str) {
        self.complain(&format!("serve: {}\n", escaped(line))).await;
    }

    /// Writes `text` to standard error unchanged.
    pub(crate) async fn complain(&mut self, text: &str) {
        self.err.0.write_all(text.as_bytes().to_vec()).await;
    }

    /// Waits until everything has been written.
    pub(crate) async fn close(self) {
        for (stream, written) in self.out.into_iter().chain([self.err]) {
            drop(stream);
            let _ = written.await;
        }
    }
}
