//! The waits and the separators of a caller, as the engine's.

use crate::streams::Wanted;
use crate::types::Error;

asyncio_streams_face::requests!();
