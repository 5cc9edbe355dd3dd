use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream, StdinStream};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};

/// The most that one output may hold in memory, in bytes.
const CAPTURE_LIMIT: usize = 64 << 20;

/// The size of the buffer before an [`AsyncWrite`], in bytes.
const OUTPUT_BUFFER: usize = 8192;

/// The source of a program's standard input.
pub struct Stdin(Source);

enum Source {
    Empty,
    Inherit,
    Stream(Box<dyn StdinStream + Sync>),
}

impl Stdin {
    /// No input: the end comes at once.
    pub fn empty() -> Self {
        Self(Source::Empty)
    }

    /// The input of this process.
    pub fn inherit() -> Self {
        Self(Source::Inherit)
    }

    /// These bytes, and then the end.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Source::Stream(Box::new(MemoryInputPipe::new(bytes.into()))))
    }

    /// Reads from `reader`, such as one side of [`tokio::io::duplex`].
    pub fn reader(reader: impl AsyncRead + Send + Sync + 'static) -> Self {
        Self(Source::Stream(Box::new(AsyncStdinStream::new(reader))))
    }

    /// A stream in WASI's own terms.
    pub fn stream(stream: impl StdinStream + Sync + 'static) -> Self {
        Self(Source::Stream(Box::new(stream)))
    }

    pub(super) fn apply(self, wasi: &mut WasiCtxBuilder) {
        match self.0 {
            Source::Empty => wasi,
            Source::Inherit => wasi.inherit_stdin(),
            Source::Stream(stream) => wasi.stdin(stream),
        };
    }
}

/// The target of a program's output. The text is passed on unchanged: control characters in it reach a terminal or a
/// log. Use [`Escaped`](crate::Escaped) where that matters.
pub struct Stdout(Target);

enum Target {
    Discard,
    Inherit,
    Capture(MemoryOutputPipe),
    Writer(Pin<Box<dyn AsyncWrite + Send + Sync>>),
}

impl Stdout {
    /// Discards the output.
    pub fn discard() -> Self {
        Self(Target::Discard)
    }

    /// The same output of this process.
    pub fn inherit() -> Self {
        Self(Target::Inherit)
    }

    /// Writes to `writer`, such as one side of [`tokio::io::duplex`]. When it accepts nothing, the program waits.
    pub fn writer(writer: impl AsyncWrite + Send + Sync + 'static) -> Self {
        Self(Target::Writer(Box::pin(writer)))
    }

    pub(super) fn apply_stdout(self, wasi: &mut WasiCtxBuilder) {
        match self.0 {
            Target::Discard => wasi,
            Target::Inherit => wasi.inherit_stdout(),
            Target::Capture(pipe) => wasi.stdout(pipe),
            Target::Writer(writer) => wasi.stdout(AsyncStdoutStream::new(OUTPUT_BUFFER, writer)),
        };
    }

    pub(super) fn apply_stderr(self, wasi: &mut WasiCtxBuilder) {
        match self.0 {
            Target::Discard => wasi,
            Target::Inherit => wasi.inherit_stderr(),
            Target::Capture(pipe) => wasi.stderr(pipe),
            Target::Writer(writer) => wasi.stderr(AsyncStdoutStream::new(OUTPUT_BUFFER, writer)),
        };
    }
}

/// Stores what a program prints.
pub(super) struct Capture(MemoryOutputPipe);

impl Capture {
    pub(super) fn new() -> Self {
        Self(MemoryOutputPipe::new(CAPTURE_LIMIT))
    }

    pub(super) fn stdout(&self) -> Stdout {
        Stdout(Target::Capture(self.0.clone()))
    }

    pub(super) fn contents(self) -> Vec<u8> {
        self.0.contents().to_vec()
    }
}
