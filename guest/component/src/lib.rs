//! streams.wasm.
