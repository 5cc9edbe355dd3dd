//! The `tls` interface.

use crate::types::Error;
use crate::{Component, tls};

#[cfg(feature = "tls")]
asyncio_streams_face::tls!();

#[cfg(not(feature = "tls"))]
asyncio_streams_face::no_tls!("streams-p2-tls.wasm");
