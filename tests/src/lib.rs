//! The host side of the tests.
