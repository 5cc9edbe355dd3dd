//! The number of a reader, by which its mirror and its reads reach the component's buffer.

use crate::Error;
use crate::bindings::{numbers, types};

use super::latin1::{self, Front, Text};
use super::mirror::Source;

/// The number of a reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) u64);

impl Source for Number {
    fn peek(&self, skip: u32, n: u32) -> Front {
        // The number is that of a reader that lives. If it were not, the read would ask next, and get the error.
        latin1::peek(self.0, skip, n).unwrap_or_else(|| Front {
            bytes: Text::from(&[][..]),
            remaining: 0,
            limit: 0,
            max_result: 0,
        })
    }

    fn discard(&self, n: u32) -> Result<u32, Error> {
        Ok(numbers::discard(self.0, n)?)
    }
}

/// The result of a `try-` read of the component.
pub(super) type Answer = Result<Option<Vec<u8>>, types::Error>;
