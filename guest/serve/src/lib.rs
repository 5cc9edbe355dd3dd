//! serve.wasm.
