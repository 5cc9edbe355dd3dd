//! The option resources.

use crate::streams;
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow};
use crate::types::{AddressFamily, Error};

asyncio_streams_face::options!(streams, super::tls, {
    fn cancel(&self) {
        let options = self.0.borrow().clone();
        options.cancel();
    }
});
