//! Empty: the manifest names the programs that the tests run, `wasmtime` and `wac`.
