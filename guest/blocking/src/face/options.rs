//! The option resources.

use crate::blocking;
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow};
use crate::types::{AddressFamily, Error};

asyncio_streams_face::options!(blocking, super::tls, {});
