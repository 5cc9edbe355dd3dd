//! The waits and the separators of a caller, as the engine's.

use crate::blocking::Wanted;
use crate::types::Error;

asyncio_streams_face::requests!();
