//! The guest side of the tests.
