//! Programs of `tests/programs` that contain the engine with TLS: the examples of this package.
