//! The macros by which a file of `tests/programs` becomes a program: here, a module with the function `start`.

use std::pin::Pin;

use crate::Result;

/// A program that runs.
pub(crate) type Started = Pin<Box<dyn Future<Output = Result>>>;

/// Makes a main function a program, as the crate for Rust programs does.
#[macro_export]
macro_rules! run {
    ($main:path) => {
        pub(crate) fn start() -> $crate::started::Started {
            Box::pin($main())
        }
    };
}

/// Makes a handler a server.
#[macro_export]
macro_rules! serve {
    ($handler:path) => {
        pub(crate) fn start() -> $crate::started::Started {
            Box::pin($crate::serving::serve($handler))
        }
    };
}
